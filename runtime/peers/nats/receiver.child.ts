import { receive, startNode } from '../testing/peers.ts';

/** A secondary in a process of its own, which its parent can stop: accepts all offers, several at once. */
const [url = '', spId = '0'] = process.argv.slice(2);
const node = await startNode(url, Number(spId));
process.send?.('ready');
for await (const held of node.host.offers({ limit: 100, signal: new AbortController().signal })) {
  void receive(held).catch(() => undefined);
}
