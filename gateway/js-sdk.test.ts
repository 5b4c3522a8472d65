import { once } from 'node:events';
import { type Agent, globalAgent, type IncomingMessage, request } from 'node:http';
import { createRequire } from 'node:module';
import type { LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext, registerCompletionHandler } from 'ava';
import { Hono } from 'hono';
import { toHex } from '#protocols/greenfield/hex';
import { personalDigest } from '#protocols/greenfield/personal-signature';
import { signDigest } from '#protocols/greenfield/signature';
import { Action } from '#protocols/greenfield/types';
import { silentLogger } from '#runtime/telemetry/logger';
import type { GatewayEnv } from './request/context.ts';
import { serveGateway } from './server.ts';
import { OWNER, object } from './testing/chain.ts';
import { type TestGateway, testGateway } from './testing/gateway.ts';
import { APP, timestamp } from './testing/keys.ts';

/** The unmodified JS SDK with off-chain keys, as browser applications use it to avoid a wallet prompt per request. */

interface Auth {
  readonly type: 'EDDSA';
  readonly domain: string;
  readonly seed: string;
  readonly address: string;
}

interface Answer<T = unknown> {
  readonly code: number;
  readonly message: string;
  readonly body?: T;
}

/** The part of the SDK used here: its own types depend on those of browsers. */
interface Client {
  readonly offchainauth: {
    genOffChainAuthKeyPairAndUpload(params: object, wallet: object): Promise<Answer<{ seedString: string }>>;
  };
  readonly spClient: {
    getMetaInfo(): {
      PUT_OBJECT(endpoint: string, params: object): Promise<{ reqMeta: object; url: string }>;
    };
    signHeaders(reqMeta: object, auth: Auth): Promise<Headers>;
  };
  readonly object: {
    getObject(params: object, auth: Auth): Promise<Answer>;
    getObjectPreviewUrl(params: object, auth: Auth): Promise<string>;
    getObjectMeta(
      params: object,
    ): Promise<Answer<{ GfSpGetObjectMetaResponse: { Object: { ObjectInfo: object; Removed: boolean } } }>>;
  };
}

const sdk = createRequire(import.meta.url)('@bnb-chain/greenfield-js-sdk') as {
  readonly Client: { create(rpc: string, chainId: string): Promise<Client> };
};

/** These tests do not use the chain. */
function createClient(): Promise<Client> {
  return sdk.Client.create('http://127.0.0.1:1', '9000');
}

const ADDRESS = { bucketName: 'photos', objectName: 'a.jpg' };

/** `*.localhost` is this machine, which not every resolver knows. */
const lookup: LookupFunction = (_, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

// The SDK leaves timers of half a minute behind.
registerCompletionHandler(() => process.exit());

test.before(() => {
  (globalAgent as Agent & { readonly options: { lookup?: LookupFunction } }).options.lookup = lookup;
});

/** A gateway whose requests have the headers that a browser adds. */
async function serveToBrowser(t: ExecutionContext): Promise<TestGateway & { readonly endpoint: string }> {
  const gateway = testGateway(t);
  const browser = new Hono<GatewayEnv>();
  browser.all('*', (c) => {
    const { url, method, signal } = c.req.raw;
    const headers = new Headers(c.req.raw.headers);
    headers.set('Origin', APP);
    return gateway.app.fetch(new Request(url, { method, headers, signal }), c.env);
  });
  const server = await serveGateway(browser, {
    host: '127.0.0.1',
    port: 0,
    closeTimeoutMs: 0,
    log: silentLogger,
  });
  t.teardown(() => server.close());
  return { ...gateway, endpoint: `http://sp1.localhost:${server.port}` };
}

/** The wallet of the owner. */
const wallet = {
  request: async ({ params: [message] }: { params: [string] }) => {
    const signature = signDigest(personalDigest(message), OWNER.key);
    signature[64] = 27 + (signature[64] ?? 0);
    return `0x${toHex(signature)}`;
  },
};

async function signIn(client: Client, endpoint: string): Promise<Auth> {
  const { body, message } = await client.offchainauth.genOffChainAuthKeyPairAndUpload(
    {
      sps: [{ address: OWNER.address, endpoint, name: 'sp1' }],
      address: OWNER.address,
      domain: APP,
      expirationMs: 5 * 24 * 3600 * 1000,
      chainId: 9000,
    },
    wallet,
  );
  if (!body) throw new Error(message);
  return { type: 'EDDSA', domain: APP, seed: body.seedString, address: OWNER.address };
}

async function send(url: string, method: string, headers: Headers, body = ''): Promise<IncomingMessage> {
  const client = request(url, { method, headers: Object.fromEntries(headers) });
  client.end(body);
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  return response;
}

test('it signs in, uploads, reads and creates a pre-signed URL', async (t) => {
  const { endpoint, chain, pipeline } = await serveToBrowser(t);
  chain.allow(OWNER, Action.CREATE_OBJECT).allow(OWNER, Action.GET_OBJECT);
  const client = await createClient();
  const auth = await signIn(client, endpoint);

  const content = Buffer.from('0123456789');
  const { reqMeta, url } = await client.spClient.getMetaInfo().PUT_OBJECT(endpoint, {
    ...ADDRESS,
    contentType: 'image/jpeg',
    txnHash: '',
    body: { name: 'a.jpg', type: 'image/jpeg', size: content.length, content },
  });
  const headers = new Headers([...(await client.spClient.signHeaders(reqMeta, auth))]);
  const put = await send(url, 'PUT', headers, '0123456789');
  t.is(put.statusCode, 200, await text(put));
  t.is(pipeline.taken.get('4711.0')?.toString(), '0123456789');

  chain.objects = [{ object: object({ status: 'SEALED', payloadSize: 0 }) }];
  const got = await client.object.getObject({ ...ADDRESS, endpoint }, auth);
  t.is(got.code, 0, got.message);

  const queryMap = {
    view: '1',
    'X-Gnfd-User-Address': OWNER.address,
    'X-Gnfd-App-Domain': APP,
    'X-Gnfd-Expiry-Timestamp': timestamp(60_000),
  };
  const preview = await client.object.getObjectPreviewUrl({ ...ADDRESS, endpoint, queryMap }, auth);
  const shown = await send(preview, 'GET', new Headers());
  t.is(shown.statusCode, 200, await text(shown));
  t.is(shown.headers['content-disposition'], 'inline; filename="a.jpg"; filename*=UTF-8\'\'a.jpg');
});

test('it reads the metadata of an object on chain', async (t) => {
  const { endpoint } = await serveToBrowser(t);
  const client = await createClient();
  const { body } = await client.object.getObjectMeta({ ...ADDRESS, endpoint });
  const { ObjectInfo, Removed } = body?.GfSpGetObjectMetaResponse.Object ?? {};
  t.like(ObjectInfo, { ObjectName: 'a.jpg', PayloadSize: 10, ObjectStatus: 0, Tags: { Tags: [] } });
  t.false(Removed);
});

test('it understands an error', async (t) => {
  const { endpoint } = await serveToBrowser(t);
  const client = await createClient();
  const auth: Auth = { type: 'EDDSA', domain: APP, seed: `0x${'22'.repeat(32)}`, address: OWNER.address };
  const refused = await client.object.getObject({ ...ADDRESS, endpoint }, auth);
  t.is(refused.code, -1);
  t.regex(refused.message, /not registered/);
});
