import type { PrivateEndpointRow } from '../../catalog/schema.ts';
import type { Page, PageRequest } from '../names.ts';

export type PrivateEndpoint = Omit<PrivateEndpointRow, 'deletedAtMs'>;

/** Asked for, kept and shown; no network is built, so that none is ever active. */
export interface PrivateEndpoints {
  /** Newest first. */
  list(query: {
    projectId: string;
    cloudProvider: PrivateEndpointRow['cloudProvider'];
    page: PageRequest;
  }): Promise<Page<PrivateEndpoint>>;
  get(query: PrivateEndpointName): Promise<PrivateEndpoint>;
  /** One a region: a second is refused. */
  create(request: {
    projectId: string;
    cloudProvider: PrivateEndpointRow['cloudProvider'];
    regionName: string;
    vpcRegionName?: string;
  }): Promise<PrivateEndpoint>;
  delete(request: PrivateEndpointName): Promise<void>;
}

export interface PrivateEndpointName {
  projectId: string;
  cloudProvider: PrivateEndpointRow['cloudProvider'];
  endpointId: string;
}
