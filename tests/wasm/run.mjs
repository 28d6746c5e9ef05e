// run.mjs MODULE CORPUS gives 50 graded cases of the evidence corpus, of all kinds, to eml_evidence.wasm and compares
// verdict, error class, TCB status and advisories with those that are stated. The last line is `N passed, N failed`;
// exit 0 only if nothing failed and 50 passed.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadVerifier } from "../../abi/wasm/verifier.mjs";

const CASES = { tdx: 12, sevsnp: 8, nitro: 8, confidential_space: 8, tpm: 7, nvidia: 7 };
const STATUSES = { valid: [0], invalid: [1, 2] };

function readCases(corpus, kind, count) {
  const graded = ["cases", "neg_cases", "synth_cases"]
    .map((name) => join(corpus, "open", kind, `${name}.json`))
    .filter((path) => existsSync(path))
    .flatMap((path) => JSON.parse(readFileSync(path)))
    .filter((one) => !one.either && one.expect.verdict in STATUSES && one.evidence);
  // Spread over the whole list: real, altered and synthetic cases are among them.
  const step = graded.length / count;
  return Array.from({ length: Math.min(count, graded.length) }, (_, i) => graded[Math.floor(i * step)]);
}

const base64 = (bytes) => Buffer.from(bytes).toString("base64");

// The last certificate of a PEM chain is its root.
function lastCertificate(pem) {
  const blocks = [...pem.toString("latin1").matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)];
  return Buffer.from(blocks.at(-1)?.[1] ?? "", "base64");
}

// The anchor of a case: its own root; of a synthetic one also its CA chain's last or its key set.
function rootOf(one, files) {
  if (files.root) return files.root;
  if (!one.synthetic) return undefined;
  return files.ca_chain ? lastCertificate(files.ca_chain) : files.jwks;
}

function requestOf(corpus, kind, one) {
  const named = Object.entries(one.collateral ?? {}).filter(([, path]) => path);
  const files = Object.fromEntries(named.map(([name, path]) => [name, readFileSync(join(corpus, path))]));
  const request = {
    kind: one.kind ?? kind,
    evidence: base64(readFileSync(join(corpus, one.evidence))),
    collateral: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, base64(bytes)])),
    time: one.time,
  };
  if (one.policy) request.policy = one.policy;
  const root = rootOf(one, files);
  if (root) request.root = base64(root);
  return request;
}

// What does not agree, or nothing.
function difference(expect, { status, answer }) {
  if (!STATUSES[expect.verdict].includes(status)) return `expected ${expect.verdict}, got ${status}: ${answer.message}`;
  const refused = answer.verdict === "invalid";
  if (refused !== (expect.verdict === "invalid")) return `status ${status} for ${answer.verdict}`;
  const classes = [expect.error ?? null, ...(expect.error_also ?? [])];
  if (!classes.includes(answer.error)) return `expected error ${classes}, got ${answer.error}`;
  if (expect.tcb_status && expect.tcb_status !== answer.tcb_status) return `TCB status ${answer.tcb_status}`;
  const advisories = [...(answer.advisories ?? [])].sort().join();
  if (expect.advisories && [...expect.advisories].sort().join() !== advisories) return `advisories ${advisories}`;
  return undefined;
}

const [modulePath, corpus] = process.argv.slice(2);
if (!existsSync(join(corpus, "open"))) {
  console.log(`no evidence corpus at ${corpus}/open: nothing was judged`);
  process.exit(77);
}
const verifier = await loadVerifier(readFileSync(modulePath));
let passed = 0;
let failed = 0;
for (const [kind, count] of Object.entries(CASES)) {
  for (const one of readCases(corpus, kind, count)) {
    const what = difference(one.expect, verifier.verify(requestOf(corpus, kind, one)));
    if (what) console.log(`${kind} ${one.id}: ${what}`);
    what ? ++failed : ++passed;
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed === 50 ? 0 : 1);
