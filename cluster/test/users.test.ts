/** Tests of what people and applications use a provider with, which share a devnet. */
import './operators.part.ts';
import './sdk/sdk.part.ts';
import './command-line.part.ts';
