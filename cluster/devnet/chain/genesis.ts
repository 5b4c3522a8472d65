import type {
  GlobalVirtualGroup,
  GlobalVirtualGroupFamily,
  StorageParams,
  StorageProvider,
} from '#protocols/greenfield/types';

/** The initial state of the devnet's chain, as plain JSON that can be passed to another process. */
export interface ChainGenesis {
  /** For example `greenfield_9000-1741`. */
  readonly chainId: string;
  readonly params: GenesisParams;
  readonly sps: readonly StorageProvider[];
  readonly families: readonly GlobalVirtualGroupFamily[];
  readonly gvgs: readonly GenesisGvg[];
  readonly accounts: readonly GenesisAccount[];
}

export interface GenesisParams {
  readonly storage: StorageParams;
  /** `gvg_staking_per_bytes` of the virtualgroup module: required deposit per byte, decimal. */
  readonly gvgStakingPerByte: string;
}

/** A group without content; `totalDeposit` is a decimal string since JSON has no bigint. */
export interface GenesisGvg extends Omit<GlobalVirtualGroup, 'storedSize' | 'totalDeposit'> {
  readonly totalDeposit: string;
}

export interface GenesisAccount {
  /** EIP-55. */
  readonly address: string;
  /** In the smallest unit of BNB, decimal. */
  readonly balance: string;
}
