/** Tests of processes that fail, which share a devnet. */
import './outage.part.ts';
import './recovery.part.ts';
