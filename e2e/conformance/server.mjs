// A server on the TypeScript SDK for the Go tests beside it.
//
// usage: node server.mjs v1|v2 stdio|http
// v1 is @modelcontextprotocol/sdk (legacy), v2 @modelcontextprotocol/server (both eras).
// With http the first line on stdout is "listening on URL".
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import path from 'node:path';

const require = createRequire(path.join(process.env.SLUICE_NODE_MODULES, 'package.json'));
const [sdk, face] = process.argv.slice(2);
const z = require('zod');
const v2 = sdk === 'v2';
const { McpServer } = v2 ? require('@modelcontextprotocol/server') : require('@modelcontextprotocol/sdk/server/mcp.js');

function server() {
  const s = new McpServer({ name: 'typescript-server', version: '1.0.0' }, { instructions: 'Says where the wind blows.' });
  const shape = (members) => (v2 ? z.object(members) : members);
  s.registerTool('wind', {
    title: 'Wind',
    description: 'The wind at a place.',
    inputSchema: shape({ place: z.string(), id: z.number().optional() }),
    outputSchema: shape({ place: z.string(), knots: z.number() }),
    annotations: { readOnlyHint: true },
  }, ({ place }) => ({
    content: [{ type: 'text', text: `12.0 kn at ${place}` }],
    structuredContent: { place, knots: 12 },
    _meta: { 'example.com/source': 'buoy' },
  }));
  s.registerTool('storm', { description: 'Always fails.' }, () => ({ isError: true, content: [{ type: 'text', text: 'too windy' }] }));
  s.registerResource('chart', 'chart://north-sea', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'Dogger, Fisher, German Bight' }],
  }));
  s.registerPrompt('forecast', { description: 'Asks for a forecast.', argsSchema: shape({ place: z.string() }) }, ({ place }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Forecast for ${place}?` } }],
  }));
  return s;
}

// web turns a node request into one of the Fetch API, and answers with its response.
async function web(req, res, fetch) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const response = await fetch(new Request(`http://${req.headers.host}${req.url}`, {
    method: req.method,
    headers: Object.entries(req.headers).flatMap(([k, v]) => [v].flat().map((one) => [k, one])),
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
  }));
  res.writeHead(response.status, Object.fromEntries(response.headers));
  for await (const chunk of response.body ?? []) res.write(chunk);
  res.end();
}

// sessions serves the legacy era with a session per client.
function sessions() {
  const { StreamableHTTPServerTransport } = require('@modelcontextprotocol/sdk/server/streamableHttp.js');
  const open = new Map();
  return async (req, res) => {
    let transport = open.get(req.headers['mcp-session-id']);
    if (!transport) {
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => open.set(id, transport),
      });
      await server().connect(transport);
    }
    await transport.handleRequest(req, res);
  };
}

if (face === 'stdio') {
  if (v2) {
    require('@modelcontextprotocol/server/stdio').serveStdio(server);
  } else {
    const { StdioServerTransport } = require('@modelcontextprotocol/sdk/server/stdio.js');
    await server().connect(new StdioServerTransport());
  }
} else {
  let handler;
  if (v2) {
    const { fetch } = require('@modelcontextprotocol/server').createMcpHandler(server);
    handler = (req, res) => web(req, res, fetch);
  } else {
    handler = sessions();
  }
  const http = createServer(handler);
  http.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}/mcp`));
  process.on('SIGINT', () => process.exit(0));
}
