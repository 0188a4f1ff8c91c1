"""Walks through the backup API with pyatlassdk, which was generated from Atlas's own API description and checks every answer against it.

Reads from the environment: BASE (https or http, no slash at the end), ORG_ID, PROJECT_ID, CLUSTER, and PUBLIC_KEY with PRIVATE_KEY or CLIENT_ID with
CLIENT_SECRET. Prints one line for each step; ends with 1 and what was wrong at the first that fails.
"""

import os
import time
from datetime import datetime, timedelta, timezone

from typing import Any

from pydantic import TypeAdapter
from pyatlassdk import AtlasAdminClient
from pyatlassdk.admin import AtlasApiError

BASE = os.environ["BASE"]
ORG = os.environ["ORG_ID"]
PROJECT = os.environ["PROJECT_ID"]
CLUSTER = os.environ["CLUSTER"]
WAIT_SECONDS_MAX = 60

credentials = (
    {"public_key": os.environ["PUBLIC_KEY"], "private_key": os.environ["PRIVATE_KEY"]}
    if "PUBLIC_KEY" in os.environ
    else {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
)


class Atlas(AtlasAdminClient):
    """Knows where Atlas itself answers otherwise than its description says."""

    def request(self, method, path, *, response_model=None, **asked):
        # It asks for a body after every DELETE, and 204 has none.
        if method == "DELETE" and response_model is Any:
            response_model = None
        answer = super().request(method, path, response_model=None if response_model is None else Any, **asked)
        if response_model is None:
            return None
        for snapshot in answer.get("results", [answer]) if isinstance(answer, dict) else []:
            if snapshot.get("frequencyType") == "ondemand":
                del snapshot["frequencyType"]
        return TypeAdapter(response_model).validate_python(answer)


atlas = Atlas(
    base_url=f"{BASE}/api/atlas/v2", oauth_token_url=f"{BASE}/api/oauth/token", **credentials
)
backups = atlas.cloud_backups
legacy = atlas.legacy_backup


def step(what):
    print(what, flush=True)


def refused(code, ask):
    try:
        ask()
    except AtlasApiError as error:
        assert error.payload["errorCode"] == code, error
        return
    raise AssertionError(f"{code} was expected")


def until(what, ask, done):
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        found = ask()
        if done(found):
            return found
        assert time.monotonic() < deadline, f"it never came to this: {what}; last {found}"
        time.sleep(0.1)


def paginated(answer):
    assert answer.total_count == len(answer.results), answer
    return answer.results


step("who and where")
status = atlas.root.get_system_status()
assert status.app_name == "MongoDB Atlas" and status.ip_address == "127.0.0.1", status
assert ORG in [org.id for org in paginated(atlas.organizations.list_orgs())]
assert PROJECT in [group.id for group in paginated(atlas.organizations.get_org_groups(ORG))]
assert atlas.projects.get_group(PROJECT).org_id == ORG
assert [cluster.name for cluster in paginated(atlas.clusters.list_group_clusters(PROJECT))] == [CLUSTER]
cluster = atlas.clusters.get_group_cluster(CLUSTER, PROJECT)
assert cluster.state_name == "IDLE", cluster

step("a cluster's description sent back as it came")
again = atlas.clusters.update_group_cluster(CLUSTER, PROJECT, cluster)
assert again.name == CLUSTER

step("flex probe")
refused("CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API", lambda: atlas.flex_snapshots.list_group_flex_cluster_backup_snapshots(PROJECT, CLUSTER))

step("snapshots: take, watch, list, get, keep longer")
snapshot = backups.take_group_cluster_backup_snapshots(
    CLUSTER, PROJECT, {"description": "by python", "retentionInDays": 3}
)
snapshot = until(
    "the snapshot ends",
    lambda: backups.get_group_cluster_backup_snapshot(CLUSTER, PROJECT, snapshot.id),
    lambda found: found.status in ("completed", "failed"),
)
assert snapshot.status == "completed" and snapshot.snapshot_type == "onDemand", snapshot
assert snapshot.id in [one.id for one in paginated(backups.list_group_cluster_backup_snapshots(CLUSTER, PROJECT))]
sharded = backups.get_group_cluster_backup_snapshot_sharded_cluster(CLUSTER, PROJECT, snapshot.id)
assert sharded.members == [] and sharded.snapshot_ids == []
backups.list_group_cluster_backup_snapshot_sharded_clusters(CLUSTER, PROJECT)
kept = backups.update_group_cluster_backup_snapshot(
    CLUSTER, PROJECT, snapshot.id, {"retentionUnit": "WEEKS", "retentionValue": 2}
)
assert kept.id == snapshot.id
databases = paginated(backups.list_group_cluster_backup_snapshot_databases(CLUSTER, PROJECT, snapshot.id))
assert "shop" in [database.name for database in databases], databases

step("schedule: read, send back, change, delete, set again")
schedule = backups.get_group_cluster_backup_schedule(CLUSTER, PROJECT)
backups.update_group_cluster_backup_schedule(CLUSTER, PROJECT, schedule)
changed = backups.update_group_cluster_backup_schedule(
    CLUSTER, PROJECT, {"referenceHourOfDay": 3, "referenceMinuteOfHour": 15, "restoreWindowDays": 4}
)
assert changed.reference_hour_of_day == 3 and len(changed.policies) == 1
emptied = backups.delete_group_cluster_backup_schedule(CLUSTER, PROJECT)
policy = {
    "id": emptied.policies[0].id if emptied is not None else changed.policies[0].id,
    "policyItems": [
        {"frequencyType": "daily", "frequencyInterval": 1, "retentionUnit": "days", "retentionValue": 7}
    ],
}
backups.update_group_cluster_backup_schedule(CLUSTER, PROJECT, {"policies": [policy]})

step("restore into itself, watched to its end")
job = backups.create_group_cluster_backup_restore_job(
    CLUSTER,
    PROJECT,
    {
        "deliveryType": "automated",
        "snapshotId": snapshot.id,
        "targetClusterName": CLUSTER,
        "targetGroupId": PROJECT,
    },
)
job = until(
    "the restore ends",
    lambda: backups.get_group_cluster_backup_restore_job(CLUSTER, PROJECT, job.id),
    lambda found: found.failed or found.finished_at is not None,
)
assert not job.failed, job
assert job.id in [one.id for one in paginated(backups.list_group_cluster_backup_restore_jobs(CLUSTER, PROJECT))]
refused(
    "CANNOT_CANCEL_AUTOMATED_RESTORE",
    lambda: backups.cancel_group_cluster_backup_restore_job(CLUSTER, PROJECT, job.id),
)

step("legacy backup shows the same")
assert snapshot.id in [one.id for one in paginated(legacy.list_group_cluster_snapshots(CLUSTER, PROJECT))]
paginated(legacy.list_group_cluster_restore_jobs(CLUSTER, PROJECT))
paginated(legacy.list_group_cluster_backup_checkpoints(CLUSTER, PROJECT))

step("roles at a provider and export buckets")
role = atlas.cloud_provider_access.create_group_cloud_provider_access(PROJECT, {"providerName": "AWS"})
role_id = role.role_id if hasattr(role, "role_id") else role["roleId"]
atlas.cloud_provider_access.authorize_group_cloud_provider_access_role(
    PROJECT, role_id, {"providerName": "AWS", "iamAssumedRoleArn": "arn:aws:iam::123456789012:role/exports"}
)
atlas.cloud_provider_access.list_group_cloud_provider_access(PROJECT)
paginated(backups.list_group_backup_export_buckets(PROJECT))
paginated(backups.list_group_cluster_backup_exports(CLUSTER, PROJECT))
atlas.cloud_provider_access.deauthorize_group_cloud_provider_access_role("AWS", PROJECT, role_id)

step("API keys with an access list, service accounts with a second secret")
if "PUBLIC_KEY" not in os.environ:
    keys = atlas.programmatic_api_keys
    key = keys.create_org_api_key(ORG, {"desc": "made by python", "roles": ["ORG_READ_ONLY"]})
    assert len(paginated(keys.create_org_api_key_access_list_entry(key.id, ORG, [{"ipAddress": "203.0.113.7"}]))) == 1
    keys.delete_org_api_key_access_list_entry(key.id, "203.0.113.7", ORG)
    keys.delete_org_api_key(key.id, ORG)
    accounts = atlas.service_accounts
    account = accounts.create_org_service_account(
        ORG, {"name": "ci", "description": "of python", "roles": ["ORG_MEMBER"], "secretExpiresAfterHours": 24}
    )
    assert account.secrets[0].secret.startswith("mdb_sa_sk_")
    accounts.create_org_service_account_secret(account.client_id, ORG, {"secretExpiresAfterHours": 24})
    accounts.delete_org_service_account(account.client_id, ORG)

step("a project's access list")
entries = atlas.project_ip_access_list
later = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
paginated(entries.create_group_access_list_entry(PROJECT, [{"cidrBlock": "203.0.113.0/24", "deleteAfterDate": later}]))
entries.get_group_access_list_entry("203.0.113.0/24", PROJECT)
entries.delete_group_access_list_entry("203.0.113.0/24", PROJECT)

step("delete the snapshot")
backups.delete_group_cluster_backup_snapshot(CLUSTER, PROJECT, snapshot.id)
refused(
    "SNAPSHOT_NOT_FOUND",
    lambda: backups.get_group_cluster_backup_snapshot(CLUSTER, PROJECT, snapshot.id),
)

step("compliance policy: set, send back, refuse what is below it")
backups.update_group_backup_compliance_policy(
    PROJECT,
    {
        "authorizedEmail": "auditor@example.com",
        "authorizedUserFirstName": "Ada",
        "authorizedUserLastName": "Auditor",
        "scheduledPolicyItems": [
            {"frequencyType": "daily", "frequencyInterval": 1, "retentionUnit": "days", "retentionValue": 9}
        ],
    },
)
active = until(
    "the policy is active",
    lambda: backups.get_group_backup_compliance_policy(PROJECT),
    lambda found: found.state == "ACTIVE",
)
backups.update_group_backup_compliance_policy(PROJECT, active)
refused(
    "BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS",
    lambda: backups.delete_group_cluster_backup_schedule(CLUSTER, PROJECT),
)

step("done")
