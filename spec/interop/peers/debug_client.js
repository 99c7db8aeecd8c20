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
  const { targets } = (await client.send("completions", { frameId: frame.id, text: "1 + su", column: 7 })).body;
  assert.deepStrictEqual(targets.map((t) => [t.label, t.start, t.length]), [["sum", 5, 2]]);
}

async function main() {
  const client = new DebugClient(strobe, "debug", "strobe");
  client.defaultTimeout = 60000;
  const events = [];
  for (const name of ["thread", "exited", "terminated"])
    client.on(name, (event) => events.push([name, event.body && event.body.reason, event.body && event.body.threadId]));
  await client.start();
  await client.hitBreakpoint({ program }, { path: program, line: 4 });
  const { threads } = (await client.threadsRequest()).body;
  const threadId = threads.find((thread) => thread.name === "main").id;
  const other = threads.find((thread) => thread.id !== threadId).id;
  await look(client, threadId);
  await Promise.all([
    client.nextRequest({ threadId }),
    client.assertStoppedLocation("step", { path: program, line: 8 }),
  ]);
  await Promise.all([
    client.send("terminateThreads", { threadIds: [other] }),
    client.waitForEvent("thread").then(({ body }) => assert.deepStrictEqual(body, { reason: "exited", threadId: other })),
  ]);
  await Promise.all([
    client.continueRequest({ threadId }),
    client.assertOutput("stdout", "3\n"),
    client.waitForEvent("terminated"),
  ]);
  const names = events.map(([name]) => name).filter((name) => name !== "thread");
  assert.deepStrictEqual(names, ["exited", "terminated"]);
  await client.stop();
  console.log("all is well");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
