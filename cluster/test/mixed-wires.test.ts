/** Tests that share a devnet. */
import './repair.part.ts';
import './two-wires.part.ts';
