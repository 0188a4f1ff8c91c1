import { refuse } from '../refusals/refusals.ts';
import { isValidRetention } from './retention.ts';
import type { CopyFrequency, CopyPolicyItem, CopySetting, CopySettingRequest } from './schedule.ts';
import { frequencies, keptUntilMs, type PolicyItemRequest, retentionUnits } from './schedule-rules.ts';

/** What copy settings may say, and which copies follow from them. Pure. */

const COPIES_KEPT_MAX = 500;
const COPY_ITEMS_MAX = 6;

interface Terms {
  /** Whether copies are chosen by `copyPolicyItems` or by `frequencies`. */
  copyPolicyItemsEnabled: boolean;
  /** Whether there is an oplog to copy: Atlas copies it only of clusters with continuous backup. */
  pitEnabled: boolean;
  /** The copy stores that there are. */
  regions: readonly string[];
  nextId: () => string;
}

/** The settings after a request that lists all of them. Each belongs to its region: that is what it keeps its id by. */
export function replaceCopySettings(
  current: readonly CopySetting[],
  requested: readonly CopySettingRequest[],
  terms: Terms,
): CopySetting[] {
  const seen = new Set<string>();
  return requested.map((request, index) => {
    const invalid = (field: string, description: string) => invalidCopySetting(index, field, description);
    const { regionName = '', cloudProvider = 'AWS', zoneId } = request;
    if (!terms.regions.includes(regionName))
      throw invalid('regionName', `names no copy store: ${terms.regions.join(', ') || 'none is configured'}`);
    if (seen.has(regionName)) throw invalid('regionName', 'is named twice');
    seen.add(regionName);
    if (zoneId === undefined) throw invalid('zoneId', 'must be present');
    const known = current.find((setting) => setting.regionName === regionName);
    const shouldCopyOplogs = request.shouldCopyOplogs ?? false;
    if (shouldCopyOplogs && known?.shouldCopyOplogs !== true && !terms.pitEnabled)
      throw invalid('shouldCopyOplogs', 'needs continuous backup: set pitEnabled of the cluster first');
    return {
      id: known?.id ?? terms.nextId(),
      cloudProvider,
      regionName,
      zoneId,
      shouldCopyOplogs,
      ...chosenSnapshots(request, known, terms, invalid),
    };
  });
}

function invalidCopySetting(index: number, field: string, description: string) {
  const name = `copySettings.${index}.${field}`;
  return refuse('VALIDATION_ERROR', [`${name} ${description}`], [{ field: name, description }]);
}

/** One of three: the newest so many, those of some frequencies, or copy items with their own retention. */
function chosenSnapshots(
  request: CopySettingRequest,
  known: CopySetting | undefined,
  { copyPolicyItemsEnabled, nextId }: Terms,
  invalid: (field: string, description: string) => ReturnType<typeof refuse>,
): Pick<CopySetting, 'frequencies' | 'lastNumberOfSnapshots' | 'copyPolicyItems'> {
  const { lastNumberOfSnapshots = null, frequencies: wanted = [], copyPolicyItems = [] } = request;
  if (lastNumberOfSnapshots !== null) {
    if (wanted.length > 0 || copyPolicyItems.length > 0)
      throw invalid('lastNumberOfSnapshots', 'excludes frequencies and copyPolicyItems');
    if (
      !Number.isInteger(lastNumberOfSnapshots) ||
      lastNumberOfSnapshots < 1 ||
      lastNumberOfSnapshots > COPIES_KEPT_MAX
    )
      throw invalid('lastNumberOfSnapshots', `must be 1 to ${COPIES_KEPT_MAX}`);
    return { lastNumberOfSnapshots, frequencies: [], copyPolicyItems: [] };
  }
  if (copyPolicyItemsEnabled) {
    if (wanted.length > 0) throw invalid('frequencies', 'has no place beside copyPolicyItemsEnabled');
    if (copyPolicyItems.length === 0 || copyPolicyItems.length > COPY_ITEMS_MAX)
      throw invalid('copyPolicyItems', `must have 1 to ${COPY_ITEMS_MAX} items`);
    const items = copyPolicyItems.map((item) => copyItem(item, known?.copyPolicyItems ?? [], nextId));
    if (new Set(items.map((item) => item.frequencyType)).size < items.length)
      throw invalid('copyPolicyItems', 'has two items of one frequency');
    return { lastNumberOfSnapshots: null, frequencies: [], copyPolicyItems: items };
  }
  if (copyPolicyItems.length > 0) throw invalid('copyPolicyItems', 'needs copyPolicyItemsEnabled');
  if (wanted.length === 0) throw invalid('frequencies', 'must name at least one frequency');
  return { lastNumberOfSnapshots: null, frequencies: [...new Set(wanted)], copyPolicyItems: [] };
}

function copyItem(
  request: PolicyItemRequest,
  current: readonly CopyPolicyItem[],
  nextId: () => string,
): CopyPolicyItem {
  const { frequencyType, retentionUnit, retentionValue } = request;
  const type = ['ondemand' as const, ...frequencies].find((known) => known === frequencyType);
  if (type === undefined) throw refuse('MISSING_POLICY_ITEM_PARAMETERS');
  const id = current.find((item) => item.frequencyType === type)?.id ?? nextId();
  if (type === 'ondemand') return { id, frequencyType: type };
  if (retentionUnit === undefined || retentionValue === undefined) throw refuse('MISSING_POLICY_ITEM_PARAMETERS');
  if (!isValidRetention(retentionUnits[retentionUnit], retentionValue))
    throw refuse('BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID', [`${retentionValue}`, retentionUnit]);
  return { id, frequencyType: type, retentionUnit, retentionValue };
}

/** As much of a completed snapshot as decides about its copies. */
export interface CopiedSnapshot {
  finishedAtMs: number;
  expiresAtMs: number;
  /** Of every policy item that it counts for; `ondemand` for one that was asked for. */
  frequencyTypes: readonly CopyPolicyItem['frequencyType'][];
}

/** Until when a copy of the snapshot is kept by this setting, or null where it makes none. */
export function copyKeptUntilMs(setting: CopySetting, snapshot: CopiedSnapshot): number | null {
  if (setting.lastNumberOfSnapshots !== null) return snapshot.expiresAtMs;
  if (setting.frequencies.some((frequency) => snapshot.frequencyTypes.some((type) => nameOf(type) === frequency)))
    return snapshot.expiresAtMs;
  const ends = setting.copyPolicyItems
    .filter((item) => snapshot.frequencyTypes.includes(item.frequencyType))
    .map(({ retentionUnit, retentionValue }) =>
      retentionUnit === undefined || retentionValue === undefined
        ? snapshot.expiresAtMs
        : keptUntilMs(snapshot.finishedAtMs, { retentionUnit, retentionValue }),
    );
  return ends.length === 0 ? null : Math.max(...ends);
}

function nameOf(type: CopyPolicyItem['frequencyType']): CopyFrequency {
  return type === 'ondemand' ? 'ON_DEMAND' : (type.toUpperCase() as CopyFrequency);
}
