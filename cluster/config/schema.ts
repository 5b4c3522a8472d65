import { z } from 'zod';
import { isNetwork } from '#runtime/http/proxies';
import { hasAllRoles, hasRole, type KeyName, needsKey, ROLES, type StatedRoles } from './roles.ts';
import {
  account,
  address,
  bytes,
  path,
  secret,
  secretPlace,
  section,
  text,
  url,
  wholeNumber,
} from './values.ts';

const MIB = 2 ** 20;

/**
 * The configuration of a node, with its defaults. cluster/deploy/sealion.example.yaml explains each setting; a test
 * keeps both equal.
 * @param base folder that relative paths refer to
 */
export function nodeConfig(base: string) {
  return section({
    sp: section({
      id: wholeNumber(1, 2 ** 32 - 1, 'the id of the SP on the chain'),
      operatorAddress: account('the operator address of the SP').optional(),
    }),
    node: z.string(NODE_NAME).regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, NODE_NAME),
    dataDir: path(base, 'a folder for the journal and the SQL DB'),
    roles: z.union([z.literal('all'), z.array(z.enum(ROLES)).min(1)], ROLES_FORM).default('all'),
    chain: section({
      rpc: z
        .array(url(['http', 'https'], 'http://127.0.0.1:26657'), 'a list of URLs of Greenfield nodes')
        .min(1, 'a list of URLs of Greenfield nodes'),
      chainId: z.string(CHAIN_ID).regex(/^[a-z][a-z0-9-]*_[0-9]+-[0-9]+$/, CHAIN_ID),
      fees: section({
        gasPriceGwei: z.number(GWEI).min(0.001, GWEI).max(10_000, GWEI).default(5),
        gasHeadroom: z.number(HEADROOM).min(1, HEADROOM).max(100, HEADROOM).default(2),
        maxFeeBnb: z.number(MAX_FEE).min(0.0001, MAX_FEE).max(1, MAX_FEE).default(0.005),
      }).prefault({}),
      sealsPerTransaction: wholeNumber(1, 50, 'objects').default(10),
    }),
    gateway: section({
      listen: address('0.0.0.0', 9033),
      tls: section({
        cert: path(base, 'the path of a certificate in PEM'),
        key: path(base, 'the path of its private key in PEM'),
      }).optional(),
      domains: domains().default([]),
      anyHost: z.boolean('true or false').default(false),
      proxies: z.array(z.string(NETWORK).refine(isNetwork, NETWORK), `a list of ${NETWORK}`).default([]),
      perClient: section({
        connections: wholeNumber(0, 10_000, 'connections').default(1_000),
        requestsPerSecond: wholeNumber(0, 1_000_000, 'requests').default(500),
        bytesPerSecond: bytes(0, 'bytes per second').default(2 ** 30),
      }).prefault({}),
      keepAliveSeconds: wholeNumber(1, 3_600, 'seconds').default(75),
      drainSeconds: wholeNumber(0, 86_400, 'seconds').default(5),
      delegation: section({
        enabled: z.boolean('true or false').default(true),
        perAccountPerHour: wholeNumber(1, 1_000_000, 'announcements').default(1_000),
      }).prefault({}),
      corsOrigins: z.array(z.string(ORIGIN).refine(isOrigin, ORIGIN), `a list of ${ORIGIN}`).default(['*']),
    }).prefault({}),
    admin: section({
      listen: address('127.0.0.1', 9133),
      hosts: domains().default([]),
      tokens: section({
        view: secret(base, 'the token of those who may look').optional(),
        act: secret(base, 'the token of those who may act').optional(),
      }).prefault({}),
      openLoopback: z.boolean('true or false').default(false),
      probes: z
        .array(z.string(NETWORK).refine(isNetwork, NETWORK), `a list of ${NETWORK}`)
        .default(['127.0.0.0/8', '::1']),
    }).prefault({}),
    nats: section({ home: section({ ...plane(base), ...homeOnly }), peers: section(plane(base)).optional() }),
    peers: section({
      wires: z
        .array(z.enum(['nats', 'http'], WIRES), WIRES)
        .min(1, WIRES)
        .default(['nats', 'http']),
      allowPrivateEndpoints: z.boolean('true or false').default(false),
    }).prefault({}),
    keys: section({
      operator: secret(base, KEY_NAMES.operator),
      approval: secret(base, KEY_NAMES.approval).optional(),
      seal: secret(base, KEY_NAMES.seal).optional(),
      bls: secret(base, KEY_NAMES.bls).optional(),
    }),
    limits: section({
      byteBudget: bytes(64 * MIB, 'the payload that the node may hold in memory').default(256 * MIB),
      concurrentUploads: wholeNumber(1, 10_000, 'the number of uploads at a time').default(128),
      concurrentDownloads: wholeNumber(1, 100_000, 'the number of downloads at a time').default(1_024),
      concurrentReceptions: wholeNumber(1, 10_000, 'the number of requests at a time').default(256),
      concurrentJobs: wholeNumber(1, 10_000, 'the number of objects at a time').default(64),
      concurrentColumns: wholeNumber(1, 10_000, 'the number of columns at a time').default(64),
      bytesPerSp: bytes(2 * MIB, 'the payload on its way to one SP').default(8 * MIB),
      minUploadRate: bytes(0, 'bytes per second').default(16 * 2 ** 10),
      minDownloadRate: bytes(0, 'bytes per second').default(16 * 2 ** 10),
      idleTimeoutMs: wholeNumber(100, 3_600_000, 'ms').default(30_000),
      maxPayload: bytes(1, 'the largest payload that is accepted').optional(),
      scrubRate: bytes(4_096, 'bytes per second').default(8 * MIB),
      diskReserve: bytes(0, 'the space to keep free').default(10 * 2 ** 30),
    }).prefault({}),
    timing: section({
      jobDeadlineHours: z.number(HOURS).min(0.001, HOURS).max(8_760, HOURS).default(24),
      spaceHours: z.number(HOURS).min(0.001, HOURS).max(8_760, HOURS).default(6),
      replacedMinutes: z.number(MINUTES).min(0.01, MINUTES).max(10_080, MINUTES).default(60),
      scrubDays: z.number(DAYS).min(0.0001, DAYS).max(3_650, DAYS).default(30),
      ackWaitMs: wholeNumber(1_000, 600_000, 'ms').default(10_000),
      offerTimeoutMs: wholeNumber(1_000, 600_000, 'ms').default(60_000),
      stallTimeoutMs: wholeNumber(1_000, 600_000, 'ms').default(30_000),
    }).prefault({}),
    journal: section({
      adapter: z.enum(['level', 'jetstream'], 'level or jetstream').default('level'),
      retentionDays: wholeNumber(1, 3650, 'days').default(7),
    }).prefault({}),
    records: section({
      adapter: z.enum(['sqlite', 'postgres'], 'sqlite or postgres').default('sqlite'),
      postgres: section({
        url: z.string(POSTGRES).refine(isPostgresUrl, POSTGRES),
        password: password(base),
      }).optional(),
    }).prefault({}),
    telemetry: section({
      traces: section({
        endpoint: url(['http', 'https'], 'http://127.0.0.1:4318/v1/traces').optional(),
        sampling: z.number(SHARE).min(0, SHARE).max(1, SHARE).default(0.01),
      }).prefault({}),
    }).prefault({}),
    log: section({
      level: z.enum(LEVELS, `one of ${LEVELS.join(', ')}`).default('info'),
      file: path(base, 'the path of a file').optional(),
    }).prefault({}),
  })
    .refine(({ peers, nats }) => !peers.wires.includes('nats') || nats.peers, {
      path: ['nats', 'peers'],
      message: 'the nats-server that connects the SPs, or leave nats out of peers.wires',
    })
    .refine(hasKeyFor('approval'), missingKey('approval', 'gateway or receiver'))
    .refine(hasKeyFor('seal'), missingKey('seal', 'keeper'))
    .refine(hasKeyFor('bls'), missingKey('bls', 'receiver, or gateway with http in peers.wires,'))
    .refine(({ roles, journal }) => hasAllRoles(roles) || journal.adapter !== 'level', {
      path: ['roles'],
      message:
        'all of them with the level journal, which belongs to one process; or journal.adapter: jetstream',
    })
    .refine(({ roles, records }) => hasAllRoles(roles) || records.adapter !== 'sqlite', {
      path: ['roles'],
      message: 'all of them with SQLite, which belongs to one process; or records.adapter: postgres',
    })
    .refine(({ roles, peers }) => !isReceiverOnly(roles) || peers.wires.includes('nats'), {
      path: ['roles'],
      message: 'gateway as well without nats in peers.wires: other SPs reach this one over HTTP only',
    })
    .refine(({ records }) => records.adapter !== 'postgres' || records.postgres, {
      path: ['records', 'postgres'],
      message: 'the database: its url, and the password of its user',
    });
}

/** Sizes in bytes, paths absolute. */
export type NodeConfig = z.output<ReturnType<typeof nodeConfig>>;

/** How to reach one NATS plane (ARCHITECTURE.md#the-two-nats-planes). */
export type PlaneConfig = NonNullable<NodeConfig['nats']['peers']>;

/** Whether a configuration has the key, or its roles do not need it. */
function hasKeyFor(key: KeyName) {
  return (node: {
    readonly keys: Readonly<Partial<Record<KeyName, unknown>>>;
    readonly roles: StatedRoles;
    readonly peers: { readonly wires: readonly string[] };
  }) => node.keys[key] !== undefined || !needsKey(node.roles, key, node.peers.wires);
}

function missingKey(key: KeyName, roles: string) {
  const message = `${secretPlace(KEY_NAMES[key])}; a node with the role ${roles} signs with it`;
  return { path: ['keys', key], message };
}

/** Whose only work is what other SPs ask for over NATS. */
function isReceiverOnly(roles: StatedRoles): boolean {
  return ROLES.every((role) => hasRole(roles, role) === (role === 'receiver'));
}

const KEY_NAMES = {
  operator: 'the operator key',
  approval: 'the approval key',
  seal: 'the seal key',
  bls: 'the BLS key',
} as const;
const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
const NODE_NAME = 'a name for this node, of up to 63 letters, digits, "_" and "-"';
const ROLES_FORM = `all, or a list of ${ROLES.join(', ')}`;
const CHAIN_ID = 'the id of the chain, for example greenfield_1017-1';
const WIRES = 'a list of one or both of nats and http';
const GWEI = 'gwei per gas, from 0.001 to 10000';
const HEADROOM = 'a multiple of the gas used, from 1 to 100';
const MAX_FEE = 'BNB, from 0.0001 to 1';
const SHARE = 'a share from 0 to 1';
const DAYS = 'days, from 0.0001 to 3650';
const HOURS = 'hours, from 0.001 to 8760';
const MINUTES = 'minutes, from 0.01 to 10080';
const DOMAIN = 'domain names in lower case, for example gnfd-sp.example.com';

function domains() {
  return z.array(
    z.string(DOMAIN).regex(/^(?=.{1,253}$)[a-z0-9-]+(\.[a-z0-9-]+)*$/, DOMAIN),
    `a list of ${DOMAIN}`,
  );
}

const NETWORK = 'IP addresses and networks, for example 127.0.0.1 or 10.0.0.0/8';
const ORIGIN = 'origins of web pages, for example https://app.example.com, or "*" for all';

function isOrigin(text: string): boolean {
  return (
    text === '*' || (/^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text)
  );
}

function isPostgresUrl(text: string): boolean {
  return url(['postgresql', 'postgres'], '').safeParse(text).success && new URL(text).password === '';
}

const POSTGRES = 'a URL without a password, for example postgresql://sealion@127.0.0.1:5432/sealion';

function password(base: string) {
  return z
    .union([z.string().min(1), secret(base, 'the password')], `the password, or ${PASSWORD_PLACE}`)
    .optional();
}

function plane(base: string) {
  return {
    url: z.string(PLANE_URL).refine((list) => list.split(',').every(isPlaneUrl), PLANE_URL),
    user: text('the name of a NATS user').optional(),
    password: password(base),
  };
}

/** Settings that determine the durability of an acknowledgement (ARCHITECTURE.md#what-an-acknowledgement-is-worth). */
const homeOnly = {
  replicas: z.literal([1, 3, 5], 'the number of servers that hold each message: 1, 3 or 5').default(1),
  syncAlways: z.boolean('true or false').default(false),
  shared: z.boolean('true or false').default(false),
};

function isPlaneUrl(text: string): boolean {
  return url(['nats', 'tls'], '').safeParse(text.trim()).success;
}

const PLANE_URL =
  'the URL of a nats-server, for example nats://127.0.0.1:4222, or several separated by commas';
const PASSWORD_PLACE = 'where it is stored: { file: <path> } or { env: <name of a variable> }';
