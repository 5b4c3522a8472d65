import { escapeXml } from '#protocols/greenfield/gateway-errors';
import type { GatewayContext } from './context.ts';

/** Elements of text, in the order of the fields. */
export function xmlElements(fields: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join('');
}

/** The media type of an answer in XML. */
export function xmlTypeOf(c: GatewayContext): string {
  return c.get('xmlType') ?? 'application/xml';
}

/** Answers 200 with an XML body. */
export function xmlResponse(c: GatewayContext, xml: string): Response {
  return c.body(xml, 200, { 'Content-Type': xmlTypeOf(c) });
}
