/** Recorded answers of a Greenfield node (v1.10.1) to queries for items that do not exist. */
export const MISSING_ANSWERS = {
  '/greenfield.storage.Query/HeadObject': {
    code: 6,
    log: 'No such object: unknown request',
    codespace: 'sdk',
  },
  '/greenfield.virtualgroup.Query/GlobalVirtualGroupFamily': {
    code: 6,
    log: 'global virtual group family not exist.: unknown request',
    codespace: 'sdk',
  },
  '/greenfield.virtualgroup.Query/GlobalVirtualGroup': {
    code: 6,
    log: 'global virtual group not exist.: unknown request',
    codespace: 'sdk',
  },
  '/cosmos.auth.v1beta1.Query/Account': {
    code: 22,
    log: 'rpc error: code = NotFound desc = account 0x0000000000000000000000000000000000009999 not found: key not found',
    codespace: 'sdk',
  },
  '/greenfield.storage.Query/VerifyPermission': {
    code: 6,
    log: 'No such bucket: unknown request',
    codespace: 'sdk',
  },
  '/greenfield.storage.Query/HeadBucket': {
    code: 6,
    log: 'No such bucket: unknown request',
    codespace: 'sdk',
  },
} as const;

/** Its answer to `/greenfield.storage.Query/HeadObjectById` with a truncated request. */
export const BROKEN_REQUEST_ANSWER = {
  code: 18,
  log: 'unexpected EOF: invalid request',
  codespace: 'sdk',
} as const;
