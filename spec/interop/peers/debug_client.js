// The client of VS Code's own test support drives `strobe debug`, as an editor would.
//   NODE_PATH=… node debug_client.js STROBE PROGRAM      PROGRAM: the script of spec/interop/debug_spec.lua
const { DebugClient } = require("@vscode/debugadapter-testsupport");
const assert = require("assert");
const [strobe, program] = process.argv.slice(2);

async function look(client, threadId) {
  const frame = (await client.stackTraceRequest({ threadId })).body.stackFrames[0];
  assert.strictEqual(frame.name, "add");
  const scopes = (await client.scopesRequest({ frameId: frame.id })).body.scopes;
  const { variables } = (await client.variablesRequest({ variablesReference: scopes[0].variablesReference })).body;
  assert.deepStrictEqual(variables.map((v) => v.name + "=" + v.value), ["a=1", "b=2", "sum=3"]);
  const value = await client.evaluateRequest({ expression: "sum * 2", frameId: frame.id });
  assert.strictEqual(value.body.result, "6");
}

async function main() {
  const client = new DebugClient(strobe, "debug", "strobe");
  client.defaultTimeout = 60000;
  await client.start();
  await client.hitBreakpoint({ program }, { path: program, line: 4 });
  const { threads } = (await client.threadsRequest()).body;
  const threadId = threads.find((thread) => thread.name === "main").id;
  await look(client, threadId);
  await Promise.all([
    client.nextRequest({ threadId }),
    client.assertStoppedLocation("step", { path: program, line: 8 }),
  ]);
  await Promise.all([
    client.continueRequest({ threadId }),
    client.assertOutput("stdout", "3\n"),
    client.waitForEvent("terminated"),
  ]);
  await client.stop();
  console.log("all is well");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
