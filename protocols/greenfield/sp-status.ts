import { z } from 'zod';
import { Terminal } from '../errors.ts';

/** Where every SP describes itself, unsigned, below its endpoint. */
export const SP_STATUS_PATH = '/status';

/** What an SP's `/status` says of itself; today's SPs answer with much more (sp:modular/metadata, GfSpGetStatus). */
export interface SpStatus {
  readonly chainId: string;
  readonly operatorAddress: string;
  /** Of its gateway. */
  readonly domain: string;
  /** Unix ms of the last block that the SP knows, whole seconds on the wire. */
  readonly blockTime: number;
  readonly blockHeight: number;
  /** Whether it takes columns over the HTTP wire. Ours alone may say no; today's know no other wire. */
  readonly takesPieces: boolean;
}

/** The answer's JSON. Go's jsonpb writes 64-bit integers as texts. */
export function formatSpStatus(status: SpStatus): string {
  return JSON.stringify({
    status: {
      block_syncer_info: {
        bs_block_height: String(status.blockHeight),
        bs_update_time: String(Math.floor(status.blockTime / 1000)),
      },
      storage_provider_info: { sp_operator_address: status.operatorAddress, sp_domain_name: status.domain },
      chain_info: { chain_id: status.chainId },
    },
    sealion: { takes_pieces: status.takesPieces },
  });
}

const long = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^[0-9]{1,15}$/)
      .transform(Number),
  ])
  .default(0);

const answer = z.object({
  status: z.object({
    block_syncer_info: z.object({ bs_block_height: long, bs_update_time: long }),
    storage_provider_info: z.object({
      sp_operator_address: z.string().default(''),
      sp_domain_name: z.string().default(''),
    }),
    chain_info: z.object({ chain_id: z.string().default('') }),
  }),
  sealion: z.object({ takes_pieces: z.boolean() }).exactOptional(),
});

/** Reads such an answer; what an SP leaves out is empty or 0. @throws Terminal `bad-sp-status` */
export function parseSpStatus(json: string): SpStatus {
  try {
    const { status, sealion } = answer.parse(JSON.parse(json));
    return {
      chainId: status.chain_info.chain_id,
      operatorAddress: status.storage_provider_info.sp_operator_address,
      domain: status.storage_provider_info.sp_domain_name,
      takesPieces: sealion?.takes_pieces ?? true,
      blockTime: status.block_syncer_info.bs_update_time * 1000,
      blockHeight: status.block_syncer_info.bs_block_height,
    };
  } catch (cause) {
    throw new Terminal({
      code: 'bad-sp-status',
      message: 'The answer is not the status of a storage provider.',
      cause,
    });
  }
}
