/**
 * An application built on the Greenfield SDK: `node --import ./environment.mjs client.cjs devnet.json [scenario …]`.
 * Writes what each scenario, or each of those that are named, has seen as a line of JSON; ends with 1 when one has failed.
 */
const { readFileSync } = require('node:fs');
const { Client } = require('@bnb-chain/greenfield-js-sdk');
const { User } = require('./user.cjs');

const SCENARIOS = {
  ...require('./scenarios/chain.cjs'),
  ...require('./scenarios/uploads.cjs'),
  ...require('./scenarios/delegated.cjs'),
  ...require('./scenarios/reads.cjs'),
  ...require('./scenarios/access.cjs'),
};

/** All at once, each with an account of its own and one of somebody else: the SDK takes seconds to see a transaction in a block. */
async function main() {
  const { chain, sps, accounts } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const client = Client.create(chain.rpc, /_([0-9]+)-/.exec(chain.chainId)[1]);
  const wanted = process.argv.slice(3);
  const scenarios = Object.entries(SCENARIOS).filter(
    ([name]) => wanted.length === 0 || wanted.includes(name),
  );
  const results = scenarios.map(async ([scenario, run], i) => {
    const user = new User(client, sps[i % sps.length], accounts[i]);
    try {
      return write({ scenario, report: await run(user, new User(client, user.sp, accounts.at(-1 - i))) });
    } catch (error) {
      process.exitCode = 1;
      return write({ scenario, error: error.stack });
    }
  });
  await Promise.all(results);
}

function write(line) {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(line)}\n`, resolve));
}

// The SDK leaves the timers of its time limits running.
main().then(() => process.exit());
