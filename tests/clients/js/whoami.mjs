// The AWS SDK for JavaScript v3 as an application uses it: one client for its whole life.
//
//     whoami.mjs [--direct INTERFACE] [--hold N]
//
// Credentials come from the default chain, or with --direct from the one provider that an application would
// choose by hand (the default chain hides why a provider failed). One GetCallerIdentity, or N, each when a line
// comes on standard input. Prints one JSON line for each. The first failure ends it: the error's own text on
// standard error, status 1.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import {
    fromContainerMetadata, fromHttp, fromInstanceMetadata, fromNodeProviderChain, fromProcess,
} from "@aws-sdk/credential-providers";

const DIRECT = {
    container: fromHttp, "container-old": fromContainerMetadata, imds: fromInstanceMetadata, process: fromProcess,
};

const { version } = JSON.parse(
    readFileSync(new URL("node_modules/@aws-sdk/client-sts/package.json", import.meta.url)),
);

const { values: asked } = parseArgs({
    options: { direct: { type: "string" }, hold: { type: "string", default: "0" } },
});
const held = Number(asked.hold);

// What the provider gave last. It is called where the SDK decides, the SDK keeps its answer.
let last;
const provider = asked.direct ? DIRECT[asked.direct]() : fromNodeProviderChain();
const watched = async (...words) => (last = await provider(...words));

async function call(sts) {
    const { Arn: arn } = await sts.send(new GetCallerIdentityCommand({}));
    const expiration = last.expiration?.toISOString().replace(/\.\d+Z$/, "Z");
    const client = asked.direct ? "js-direct" : "js";
    console.log(JSON.stringify({ client, version, arn, access_key_id: last.accessKeyId, expiration }));
}

async function main() {
    // A failed call is the test's to see, not the SDK's to hide by trying again.
    const sts = new STSClient({ credentials: watched, maxAttempts: 1 });
    if (!held) return call(sts);
    let calls = 0;
    for await (const _ of createInterface({ input: process.stdin })) {
        await call(sts);
        if (++calls === held) break;
    }
}

main().then(() => process.exit(0), (error) => {
    console.error(`${error.name}: ${error.message}`);
    process.exit(1);
});
