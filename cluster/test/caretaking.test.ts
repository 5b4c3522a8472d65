/** Tests of what providers do with what they store, which share a devnet. The last looks at all that is there. */
import './scrub.part.ts';
import './space.part.ts';
