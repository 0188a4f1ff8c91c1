import type { OrganizationSettings } from '../../catalog/organizations.ts';
import type { OrganizationRow } from '../../catalog/schema.ts';
import type { Asking } from '../credentials/still-admitted.ts';
import type { Page, PageRequest, Visibility } from '../names.ts';

export type { OrganizationSettings } from '../../catalog/organizations.ts';

export type Organization = Omit<OrganizationRow, 'settings'>;

export interface Organizations {
  /** `nameFilter` matches a part of the name, whatever its case; an empty one matches all. */
  list(query: {
    visibleTo: Visibility | 'everything';
    nameFilter?: string;
    page: PageRequest;
  }): Promise<Page<Organization>>;
  get(organizationId: string): Promise<Organization>;
  create(request: { name: string }): Promise<Organization>;
  settings(organizationId: string): Promise<OrganizationSettings>;
  /** What is left out stays. Refused where it would leave whoever asks for it outside, or every owner. */
  updateSettings(organizationId: string, change: OrganizationSettings, asking?: Asking): Promise<OrganizationSettings>;
}
