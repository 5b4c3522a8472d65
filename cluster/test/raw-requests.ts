import fc from 'fast-check';
import type { RawRequest } from '#gateway/testing/wire';

/** Generates requests to servers that answer in JSON, as no well-meaning client sends them. */

const TARGETS: readonly string[] = [
  ...[
    '//',
    '///',
    '//health',
    '/\\',
    '*',
    '',
    '?',
    '/?',
    '/%',
    '/%zz',
    '/%00',
    '/..',
    'http://',
    'http://[',
    'a b',
  ],
  ...[
    'http://other/api/trees',
    'ftp://x',
    '/api/jobs/',
    '/api/jobs/.',
    '/api/jobs/1.1.1',
    `/api/jobs/${'9'.repeat(500)}.0`,
  ],
  ...[
    '/health',
    '/api/nodes/self/tree',
    '/api/jobs',
    '/api/jobs/4711.0',
    '/login',
    '/status',
    '/block?height=x',
    '/tx?hash=0xzz',
    '/abci_query',
  ],
  ...[
    '/block?height=1&height=2',
    '/?%=&&=&a',
    '/tx_search?query="tx.height=1"&page=9',
    '/broadcast_tx_sync?tx=0x0',
  ],
];

const BODIES: readonly string[] = [
  ...[
    '',
    '{',
    '[]',
    '[[]]',
    'null',
    '1',
    '"x"',
    '{"method":1}',
    '{"method":"block","params":[]}',
    '[1,null,{}]',
  ],
  ...[
    '{"id":{},"method":"block","params":{"height":"1e9"}}',
    '{"id":1,"method":"tx","params":{"hash":"AA=="}}',
  ],
  ...[
    '{"method":"__proto__"}',
    '{"method":"abci_query","params":{"path":"/store","data":"zz"}}',
    '['.repeat(9000),
  ],
  ...['{"id":7,"method":"broadcast_tx_sync","params":{"tx":"AAAA"}}', '{"method":"status"}\u0000\u00ff'],
];

const HOSTS = [
  '127.0.0.1',
  'localhost',
  'localhost:1',
  '[::1]',
  'evil.example.com',
  '',
  ' ',
  'a b',
  '[',
  '@',
  '::::',
];

const HEADERS: readonly string[] = [
  ...['Expect: 100-continue', 'Expect: much', 'Upgrade: websocket\r\nConnection: Upgrade', 'Upgrade: h2c'],
  ...[
    'Transfer-Encoding: chunked',
    'Content-Length: -1',
    'Content-Length: 5',
    'Origin: null',
    'Origin: http://a',
  ],
  ...[
    'Sec-Fetch-Site: cross-site',
    'Host: second',
    'X\0: y',
    `X: ${'x'.repeat(20_000)}`,
    'no colon',
    ': empty',
  ],
];

const METHODS = [
  'GET',
  'GET',
  'HEAD',
  'POST',
  'POST',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'PUT',
  'get',
  '',
  'PRI',
];

export const anyRawRequest: fc.Arbitrary<RawRequest> = fc
  .record({
    method: fc.constantFrom(...METHODS),
    target: fc.oneof(
      fc.constantFrom(...TARGETS),
      fc.string({ maxLength: 30 }).map((text) => `/${text}`),
      fc.string({ unit: 'binary', maxLength: 20 }),
    ),
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'X'),
    host: fc.constantFrom('127.0.0.1', '127.0.0.1', ...HOSTS),
    headers: fc.array(fc.constantFrom(...HEADERS), { maxLength: 2 }),
    body: fc.oneof(fc.constantFrom(...BODIES), fc.string({ unit: 'binary', maxLength: 50 })),
    saysLength: fc.boolean(),
    // Without `wait`, since the answer to a request with too large a Content-Length never comes.
    manner: fc.constantFrom('shut' as const, 'shut' as const, 'break' as const),
  })
  .map(({ method, target, version, host, headers, body, saysLength, manner }) => {
    const bytes = Buffer.from(body);
    const length = saysLength ? [`Content-Length: ${bytes.length}`] : [];
    const lines = [`${method} ${target} ${version}`, `Host: ${host}`, ...headers, ...length];
    const head = `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`;
    return { method, pieces: [Buffer.from(head).toString('latin1'), bytes.toString('latin1')], manner };
  });
