/** Tests that share a devnet. The second part leaves it with a dead SP, and so is the last. */
import './frozen-owner.part.ts';
import './groups.part.ts';
