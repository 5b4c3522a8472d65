import { z } from 'zod';
import { fromHex } from '../greenfield/hex.ts';

/** What the tasks of today's HTTP wire between SPs have in common: each stands in a header, as hex of its JSON. */

/** A task older than this is refused, seconds. */
export const MAX_TASK_AGE_S = 1000;

/** `redundancy_type` of the object in a task. */
export const TASK_REDUNDANCIES = { 0: 'EC', 1: 'REPLICA' } as const;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
/** Go leaves zero values out. */
export const count = z.int().nonnegative().exactOptional();
/** What the object's tags look like; the signature covers them. */
const tags = z.strictObject({
  tags: z.array(z.record(z.string(), scalar)).nullable().exactOptional(),
});

/** The object and the parameters of a task; of what is not read here only that it is flat: newer SPs may send more. */
export const taskForm = {
  object_info: z
    .object({
      id: z.string().regex(/^[1-9][0-9]{0,77}$/),
      bucket_name: z.string().min(1),
      object_name: z.string().min(1),
      payload_size: count,
      redundancy_type: z.literal([0, 1]).exactOptional(),
      checksums: z.array(z.base64()).max(257).exactOptional(),
      version: z.int().min(0).max(999_999_999).exactOptional(),
    })
    .catchall(z.union([scalar, z.array(scalar), tags])),
  storage_params: z
    .object({
      versioned_params: z
        .object({
          max_segment_size: count,
          redundant_data_chunk_num: count,
          redundant_parity_chunk_num: count,
        })
        .catchall(scalar),
    })
    .catchall(scalar),
  task: z.object({ create_time: z.int().default(0), update_time: z.int().default(0) }),
};

/** @param now unix ms; tasks of the future are valid, as with today's SPs */
export function isTaskExpired(task: { readonly update_time: number }, now: number): boolean {
  return Math.floor(now / 1000) - task.update_time > MAX_TASK_AGE_S;
}

/** The JSON in a task's header, not checked yet. @throws when the header is not hex of JSON */
export function parseTaskHeader(header: string): unknown {
  const json = Buffer.from(fromHex(header)).toString('utf8');
  // Before the text is searched: in a string without an end each quote would begin another one, to the end of the text.
  JSON.parse(json);
  return JSON.parse(withLongNumbersAsText(json));
}

/**
 * Some of the chain's parameters are 2⁶⁴ − 1, which no JavaScript number holds; in the signed document such
 * integers are texts anyway.
 */
function withLongNumbersAsText(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?[0-9]{16,}/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
}
