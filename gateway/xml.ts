import type { GatewayContext } from './request.ts';

/** Answers 200 with an XML body. */
export function xmlResponse(c: GatewayContext, xml: string): Response {
  return c.body(xml, 200, { 'Content-Type': 'application/xml' });
}
