// A client on the TypeScript SDK for the Go tests beside it.
//
// usage: node client.mjs v1|v2 legacy|modern URL
//        node client.mjs v1|v2 legacy|modern COMMAND [ARG…]
// v1 is @modelcontextprotocol/sdk, v2 @modelcontextprotocol/client. It prints one JSON
// line per step: what came back, and the notifications and questions that came with it.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.SLUICE_NODE_MODULES, 'package.json'));
const [sdk, era, ...target] = process.argv.slice(2);

function load() {
  if (sdk === 'v2') {
    return { ...require('@modelcontextprotocol/client'), ...require('@modelcontextprotocol/client/stdio') };
  }
  return {
    ...require('@modelcontextprotocol/sdk/client/index.js'),
    ...require('@modelcontextprotocol/sdk/client/streamableHttp.js'),
    ...require('@modelcontextprotocol/sdk/client/stdio.js'),
    ...require('@modelcontextprotocol/sdk/types.js'),
  };
}

const api = load();
const isURL = target[0].startsWith('http://');
const transport = isURL
  ? new api.StreamableHTTPClientTransport(new URL(target[0]))
  : new api.StdioClientTransport({ command: target[0], args: target.slice(1), env: process.env });

const client = new api.Client({ name: 'typescript-client', version: '1.0.0' }, {
  capabilities: { elicitation: {}, sampling: {}, roots: {} },
  ...(sdk === 'v2' && { versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } }),
});

let seen = [];
const handle = (method, schema, answer) => client.setRequestHandler(sdk === 'v2' ? method : api[schema], (request) => {
  seen.push({ method, params: request.params });
  return answer;
});
handle('elicitation/create', 'ElicitRequestSchema', { action: 'accept', content: { username: 'ada', email: 'ada@example.com', name: 'Ada' } });
handle('sampling/createMessage', 'CreateMessageRequestSchema', { role: 'assistant', model: 'm', content: { type: 'text', text: 'Paris' } });
handle('roots/list', 'ListRootsRequestSchema', { roots: [{ uri: 'file:///tmp', name: 'tmp' }] });

const listen = (method, schema) => client.setNotificationHandler(sdk === 'v2' ? method : api[schema], (notification) => {
  seen.push({ method, params: notification.params });
});
listen('notifications/message', 'LoggingMessageNotificationSchema');
// In place of the SDK's own handler, which drops progress that is read in one piece with
// the result behind it.
client.setNotificationHandler(sdk === 'v2' ? 'notifications/progress' : api.ProgressNotificationSchema, ({ params }) => {
  seen.push({ method: 'notifications/progress', params: { ...params, progressToken: typeof params.progressToken } });
});

async function step(name, run) {
  seen = [];
  let result;
  try {
    result = await run();
  } catch (error) {
    result = { code: error.code, error: error.message, data: error.data };
  }
  console.log(JSON.stringify({ step: name, result, seen }));
}

const call = (name, args = {}, options = undefined) => (sdk === 'v2'
  ? client.callTool({ name, arguments: args }, options)
  : client.callTool({ name, arguments: args }, undefined, options));

await client.connect(transport);
await step('server', () => ({ info: client.getServerVersion(), capabilities: client.getServerCapabilities(), instructions: client.getInstructions() }));
await step('tools/list', () => client.listTools());
await step('tools/call', () => call('greet', { name: 'Ærøskøbing' }));
await step('content', () => call('test_multiple_content_types'));
await step('progress', () => call('test_tool_with_progress', {}, { onprogress: () => {} }));
await step('error result', () => call('test_error_handling'));
await step('unknown tool', () => call('no_such_tool'));
await step('size', async () => (await call('size', { bytes: 3 << 20 })).content[0].text.length);
await step('resources/list', () => client.listResources());
await step('templates', () => client.listResourceTemplates());
await step('resources/read', () => client.readResource({ uri: 'test://template/7/data' }));
await step('prompts/list', () => client.listPrompts());
await step('prompts/get', () => client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'a', arg2: 'b' } }));
await step('complete', () => client.complete({
  ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' }, argument: { name: 'arg1', value: 'par' },
}));
if (era === 'legacy') {
  await step('ping', () => client.ping());
  await step('setLevel', () => client.setLoggingLevel('info'));
  await step('logging', () => call('test_tool_with_logging'));
  await step('elicitation', () => call('test_elicitation', { message: 'Who?' }));
  await step('sampling', () => call('test_sampling', { prompt: 'What?' }));
  await step('subscribe', () => client.subscribeResource({ uri: 'test://watched-resource' }));
} else {
  await step('rounds', () => call('test_input_required_result_multi_round'));
  await step('many inputs', () => call('test_input_required_result_multiple_inputs'));
}
await client.close();
