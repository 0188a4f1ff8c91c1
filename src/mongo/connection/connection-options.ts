/**
 * What becomes of every option that a connection string can have: the one table. It knows every option of the installed
 * driver (a test holds that), and those of other drivers that are found in strings copied from applications. Pure.
 * `docs/connection-strings.md` shows it.
 */
export interface OptionRule {
  /** Of a string that came by the API: from somebody who may register clusters, and is a stranger to this machine. */
  overHttp: Verdict;
  /** Of a string that the operator of this machine gave on the command line. */
  onCommandLine: Verdict;
  why: string;
}

/** Taken as given; set by Tidemark for its own connections, whatever was given; or refused. */
export type Verdict = 'taken' | 'overridden' | 'refused';

/** Who gave a connection string. */
export type Giver = 'client' | 'operator';

interface RuleGroup extends OptionRule {
  options: readonly string[];
}

export const ruleGroups: readonly RuleGroup[] = [
  {
    options: ['replicaSet', 'directConnection', 'tls', 'ssl', 'authSource'],
    overHttp: 'taken',
    onCommandLine: 'taken',
    why: 'says which servers are meant and as whom to sign in there',
  },
  {
    options: ['authMechanism'],
    overHttp: 'taken',
    onCommandLine: 'taken',
    why: 'by the API SCRAM-SHA-1, SCRAM-SHA-256, PLAIN over TLS, and MONGODB-X509 with a certificate of the request; the others sign in as this machine',
  },
  {
    options: ['authMechanismProperties'],
    overHttp: 'refused',
    onCommandLine: 'taken',
    why: "it can make this machine show its own identity (a workload's token, an instance's role, a Kerberos ticket) to the host of the string",
  },
  {
    options: ['tlsCAFile', 'tlsCRLFile', 'tlsCertificateKeyFile', 'tlsCertificateKeyFilePassword'],
    overHttp: 'refused',
    onCommandLine: 'taken',
    why: 'it reads a file of this machine; certificates travel in the request, or are an identity of --cluster-identities',
  },
  {
    options: [
      'tlsInsecure',
      'tlsAllowInvalidCertificates',
      'tlsAllowInvalidHostnames',
      'ciphers',
      'ecdhCurve',
      'minDHSize',
      'secureProtocol',
      'servername',
      'allowPartialTrustChain',
    ],
    overHttp: 'refused',
    onCommandLine: 'taken',
    why: 'it weakens TLS; the certificate of an own authority travels in the request',
  },
  {
    options: ['proxyHost', 'proxyPort', 'proxyUsername', 'proxyPassword'],
    overHttp: 'refused',
    onCommandLine: 'taken',
    why: 'it reaches hosts through a proxy, past --cluster-allow',
  },
  {
    options: ['srvServiceName', 'srvMaxHosts', 'srvAllowedHostsSuffix', 'loadBalanced'],
    overHttp: 'refused',
    onCommandLine: 'taken',
    why: 'it changes which hosts are looked up or how they are taken',
  },
  {
    options: ['family', 'autoSelectFamily', 'autoSelectFamilyAttemptTimeout', 'localAddress'],
    overHttp: 'refused',
    onCommandLine: 'taken',
    why: 'it is a matter of the network of this machine',
  },
  {
    options: [
      'connectTimeoutMS',
      'serverSelectionTimeoutMS',
      'socketTimeoutMS',
      'timeoutMS',
      'waitQueueTimeoutMS',
      'maxIdleTimeMS',
      'maxLifeTimeMS',
    ],
    overHttp: 'overridden',
    onCommandLine: 'overridden',
    why: "Tidemark has time limits of its own: an application's would end long reads",
  },
  {
    options: ['maxPoolSize', 'minPoolSize', 'maxConnecting', 'waitQueueMultiple', 'poolSize'],
    overHttp: 'overridden',
    onCommandLine: 'overridden',
    why: 'Tidemark decides how many connections it needs',
  },
  {
    options: ['w', 'wtimeout', 'wtimeoutMS', 'journal', 'j', 'fsync', 'safe', 'retryWrites'],
    overHttp: 'overridden',
    onCommandLine: 'overridden',
    why: 'a restore says itself when a write counts',
  },
  {
    options: [
      'readPreference',
      'readPreferenceTags',
      'maxStalenessSeconds',
      'readConcernLevel',
      'retryReads',
      'localThresholdMS',
      'slaveOk',
    ],
    overHttp: 'overridden',
    onCommandLine: 'overridden',
    why: 'a backup chooses the member and the read concern that make it exact',
  },
  {
    options: ['compressors', 'zlibCompressionLevel'],
    overHttp: 'overridden',
    onCommandLine: 'overridden',
    why: "documents travel as they are: compression would take the servers' time",
  },
  {
    options: [
      'appName',
      'heartbeatFrequencyMS',
      'minHeartbeatFrequencyMS',
      'serverMonitoringMode',
      'monitorCommands',
      'maxAdaptiveRetries',
      'enableOverloadRetargeting',
      'keepAlive',
      'keepAliveInitialDelay',
      'noDelay',
    ],
    overHttp: 'overridden',
    onCommandLine: 'overridden',
    why: 'how the connection is kept is ours',
  },
  {
    options: [
      'uuidRepresentation',
      'useNewUrlParser',
      'useUnifiedTopology',
      'autoReconnect',
      'tlsDisableOCSPEndpointCheck',
      'tlsDisableCertificateRevocationCheck',
    ],
    overHttp: 'overridden',
    onCommandLine: 'overridden',
    why: 'it is an option of other drivers and says nothing here',
  },
  {
    options: [
      'raw',
      'promoteBuffers',
      'promoteLongs',
      'promoteValues',
      'useBigInt64',
      'bsonRegExp',
      'fieldsAsRaw',
      'serializeFunctions',
      'ignoreUndefined',
      'forceServerObjectId',
      'checkKeys',
      'enableUtf8Validation',
      'minInternalBufferSize',
      'pkFactory',
      'dbName',
      'name',
      'index',
    ],
    overHttp: 'refused',
    onCommandLine: 'refused',
    why: 'it belongs into the code of an application: here it would change what is read',
  },
  {
    options: [
      'auth',
      'autoEncryption',
      'serverApi',
      'driverInfo',
      'readConcern',
      'writeConcern',
      'runtimeAdapters',
      'connectionType',
      'srvPoller',
      'srvHostValidator',
      'lookup',
      'hints',
      'localPort',
      'ca',
      'cert',
      'crl',
      'key',
      'passphrase',
      'pfx',
      'secureContext',
      'session',
      'checkServerIdentity',
      'rejectUnauthorized',
      'ALPNProtocols',
      'SNICallback',
      'pskCallback',
      'requestCert',
      'requestOCSP',
      'enableTrace',
      '__skipPingOnConnect',
    ],
    overHttp: 'refused',
    onCommandLine: 'refused',
    why: 'it is an object or a function in the code of an application and means nothing in a string',
  },
  {
    options: ['mongodbLogPath', 'mongodbLogComponentSeverities', 'mongodbLogMaxDocumentLength'],
    overHttp: 'refused',
    onCommandLine: 'refused',
    why: "it writes documents into this service's output",
  },
];

const rules: ReadonlyMap<string, OptionRule> = new Map(
  ruleGroups.flatMap(({ options, ...rule }) => options.map((option) => [option.toLowerCase(), rule] as const)),
);

/** Names count in any case, as the driver has it. Undefined for what no driver knows. */
export function ruleOf(option: string): OptionRule | undefined {
  return rules.get(option.toLowerCase());
}

/** Mechanisms of the driver, and who may ask for them. */
export const mechanismRules: Readonly<
  Record<string, { overHttp: 'taken' | 'over TLS' | 'with a certificate' | 'refused' }>
> = {
  DEFAULT: { overHttp: 'taken' },
  'SCRAM-SHA-1': { overHttp: 'taken' },
  'SCRAM-SHA-256': { overHttp: 'taken' },
  PLAIN: { overHttp: 'over TLS' },
  'MONGODB-X509': { overHttp: 'with a certificate' },
  GSSAPI: { overHttp: 'refused' },
  'MONGODB-AWS': { overHttp: 'refused' },
  'MONGODB-OIDC': { overHttp: 'refused' },
};
