/** As last seen in the replica set's configuration. */
export interface ClusterMember {
  host: string;
  state: string;
  hidden: boolean;
  priority: number;
}
