import { Type } from '@sinclair/typebox';
import { defineOperations, reading } from './operation.ts';
import { closed, ObjectId, Time, Words } from './primitives.ts';
import { PolicyItemRequest, RetentionUnit } from './schedules.ts';

const itemFields = {
  frequencyInterval: Type.Integer(),
  id: ObjectId,
  retentionUnit: RetentionUnit,
  retentionValue: Type.Integer({ minimum: 1 }),
};

const OnDemandItem = Type.Object({ ...itemFields, frequencyType: Type.Literal('ondemand') }, closed);

const ScheduledItem = Type.Object(
  {
    ...itemFields,
    frequencyType: Type.Union([
      Type.Literal('hourly'),
      Type.Literal('daily'),
      Type.Literal('weekly'),
      Type.Literal('monthly'),
      Type.Literal('yearly'),
    ]),
  },
  closed,
);

/** The first and last name are there in both versions; only the later one requires them of a caller. */
const CompliancePolicy = Type.Object(
  {
    authorizedEmail: Type.String(),
    authorizedUserFirstName: Type.String(),
    authorizedUserLastName: Type.String(),
    copyProtectionEnabled: Type.Boolean(),
    deletable: Type.Boolean(),
    encryptionAtRestEnabled: Type.Boolean(),
    // Recorded answers say null where there is none, and 0 and an empty list for the other two.
    onDemandPolicyItem: Type.Union([OnDemandItem, Type.Null()]),
    pitEnabled: Type.Boolean(),
    projectId: ObjectId,
    restoreWindowDays: Type.Integer({ minimum: 0 }),
    scheduledPolicyItems: Type.Array(ScheduledItem),
    state: Type.Union([
      Type.Literal('ACTIVE'),
      Type.Literal('ENABLING'),
      Type.Literal('UPDATING'),
      Type.Literal('DISABLING'),
    ]),
    updatedDate: Time,
    updatedUser: Type.String(),
  },
  closed,
);

const requestFields = {
  authorizedEmail: Type.String({ pattern: '^[^@\\s]+@[^@\\s]+$', maxLength: 254 }),
  copyProtectionEnabled: Type.Optional(Type.Boolean()),
  encryptionAtRestEnabled: Type.Optional(Type.Boolean()),
  onDemandPolicyItem: Type.Optional(
    Type.Object({
      frequencyInterval: Type.Optional(Type.Integer()),
      frequencyType: Type.Optional(Words),
      retentionUnit: RetentionUnit,
      retentionValue: Type.Integer(),
    }),
  ),
  pitEnabled: Type.Optional(Type.Boolean()),
  restoreWindowDays: Type.Optional(Type.Integer()),
  scheduledPolicyItems: Type.Optional(Type.Array(PolicyItemRequest)),
};

const CompliancePolicyRequest = Type.Object({
  ...requestFields,
  authorizedUserFirstName: Type.Optional(Words),
  authorizedUserLastName: Type.Optional(Words),
});

const CompliancePolicyRequest20231001 = Type.Object({
  ...requestFields,
  authorizedUserFirstName: Words,
  authorizedUserLastName: Words,
});

const policy = '/api/atlas/v2/groups/{groupId}/backupCompliancePolicy';
const own = { scope: 'project', anyOf: ['GROUP_OWNER'] } as const;
const sunset = '2027-07-01';

export const compliancePolicyOperations = defineOperations({
  getGroupBackupCompliancePolicy: {
    ...reading,
    aliases: ['getCompliancePolicy', 'getDataProtectionSettings'],
    path: policy,
    access: own,
    versions: [
      { date: '2023-01-01', sunset, response: CompliancePolicy },
      { date: '2023-10-01', response: CompliancePolicy },
    ],
    errorCodes: ['BACKUP_COMPLIANCE_POLICY_NOT_FOUND'],
  },
  updateGroupBackupCompliancePolicy: {
    ...reading,
    aliases: ['updateCompliancePolicy', 'updateDataProtectionSettings'],
    method: 'PUT',
    path: policy,
    access: own,
    versions: [
      { date: '2023-01-01', sunset, request: CompliancePolicyRequest, response: CompliancePolicy },
      { date: '2023-10-01', request: CompliancePolicyRequest20231001, response: CompliancePolicy },
    ],
    query: { overwriteBackupPolicies: { type: 'boolean' } },
    documents400: true,
    errorCodes: [
      'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID',
      'BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS',
      'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY',
      'CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY',
      'CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY',
      'CANNOT_DISABLE_ENCRYPTION_AT_REST_WITH_BACKUP_COMPLIANCE_POLICY',
      'INVALID_BACKUP_POLICY',
      'MISSING_POLICY_ITEM_PARAMETERS',
      'BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID',
    ],
  },
  disableGroupBackupCompliancePolicy: {
    ...reading,
    aliases: ['disableCompliancePolicy', 'disableDataProtectionSettings'],
    method: 'DELETE',
    path: policy,
    access: own,
    versions: [{ date: '2024-11-13', response: null }],
    success: 204,
    answers: 'nothing',
    documents400: true,
    errorCodes: ['BACKUP_COMPLIANCE_POLICY_NOT_FOUND', 'CANNOT_DISABLE_BACKUP_COMPLIANCE_POLICY'],
  },
});
