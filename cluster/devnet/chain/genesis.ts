import type {
  GlobalVirtualGroup,
  GlobalVirtualGroupFamily,
  StorageParams,
  StorageProvider,
} from '#protocols/greenfield/types';

/** With what the devnet's chain begins. Plain JSON, so that it can be handed to another process. */
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
  /** `gvg_staking_per_bytes` of the virtualgroup module: deposit that one byte needs, decimal. */
  readonly gvgStakingPerByte: string;
}

/** A group without content; `totalDeposit` is decimal since JSON knows no bigint. */
export interface GenesisGvg extends Omit<GlobalVirtualGroup, 'storedSize' | 'totalDeposit'> {
  readonly totalDeposit: string;
}

export interface GenesisAccount {
  /** EIP-55. */
  readonly address: string;
  /** In the smallest unit of BNB, decimal. */
  readonly balance: string;
}
