import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { fromHex } from '#protocols/greenfield/hex';
import { signRequest } from '#protocols/greenfield/request-signature';
import type { Network } from './network.ts';

/** A payload that its primary announces for the client. */
export interface DelegatedPayload {
  readonly bucketName: string;
  readonly objectName: string;
  readonly payload: Buffer;
  readonly isUpdate?: boolean;
}

export function delegatedPayload(bucketName: string, size: number): DelegatedPayload {
  const objectName = `object-${randomBytes(6).toString('hex')}`;
  return { bucketName, objectName, payload: randomBytes(size) };
}

/** Uploads the whole payload, with the parameters of the Go SDK. @throws the provider's error */
export function putDelegated(net: Network, spId: number, upload: DelegatedPayload): Promise<void> {
  const { endpoint = '' } = net.devnet.file.sps.find(({ id }) => id === spId) ?? {};
  return putDelegatedAt(net, endpoint, upload);
}

/** As `putDelegated`, at one of the gateways of the provider. */
export function putDelegatedAt(net: Network, endpoint: string, upload: DelegatedPayload): Promise<void> {
  return send(net, endpoint, upload, { method: 'PUT', query: '', body: upload.payload });
}

/** Uploads the part from byte `offset` on. @throws the provider's error */
export function putDelegatedPart(
  net: Network,
  spId: number,
  upload: DelegatedPayload,
  part: { readonly offset: number; readonly length: number },
): Promise<void> {
  const body = upload.payload.subarray(part.offset, part.offset + part.length);
  const complete = part.offset + body.length === upload.payload.length;
  const { endpoint = '' } = net.devnet.file.sps.find(({ id }) => id === spId) ?? {};
  return send(net, endpoint, upload, {
    method: 'POST',
    query: `offset=${part.offset}&complete=${complete}&`,
    body,
  });
}

async function send(
  { devnet }: Network,
  endpoint: string,
  { bucketName, objectName, payload, isUpdate = false }: DelegatedPayload,
  { method, query, body }: { readonly method: string; readonly query: string; readonly body: Buffer },
): Promise<void> {
  const { host, port } = new URL(endpoint);
  const whole = `delegate=&is_update=${isUpdate}&payload_size=${payload.length}`;
  const target = `/${bucketName}/${objectName}?${query}${whole}${isUpdate ? '' : '&visibility=0'}`;
  const headers = {
    host,
    'content-type': 'application/octet-stream',
    'x-gnfd-expiry-timestamp': new Date(Date.now() + 3_600_000).toISOString(),
  };
  const key = fromHex((devnet.file.accounts[0]?.privateKey ?? '').slice(2));
  const authorization = signRequest({ method, target, host, headers: Object.entries(headers) }, key);
  const outgoing = request({
    host: '127.0.0.1',
    port,
    method,
    path: target,
    headers: { ...headers, authorization, 'content-length': body.length },
  });
  const answer = await new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    outgoing.end(body);
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
}
