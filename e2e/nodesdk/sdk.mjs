// Drives facebook-nodejs-business-sdk for the Go tests beside it.
//
// stdin: one JSON document
//   {"graph": URL, "token": T, "dataset": ID, "requests": [[EVENT, …], …]}
// An EVENT is {event_name, event_time, event_id, action_source, event_source_url?,
// user: {em, ph, …}, custom?: {currency, value, order_id, contents: [{id, quantity,
// item_price}]}} with plain, unhashed identifiers.
//
// stdout: one JSON line per request, in order
//   {"normalized": [...], "events_received": N, "messages": [...], "fbtrace_id": "…"}
// or {"normalized": [...], "error": {name, message, status, response}}.
// With no "graph", nothing is sent and only "normalized" is filled.
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import path from 'node:path';

const require = createRequire(path.join(process.env.SLUICE_NODE_MODULES, 'package.json'));
const {
  Content, CustomData, EventRequest, FacebookAdsApi, ServerEvent, UserData,
} = require('facebook-nodejs-business-sdk');

const setters = {
  em: 'setEmail', ph: 'setPhone', ge: 'setGender', db: 'setDateOfBirth',
  fn: 'setFirstName', ln: 'setLastName', ct: 'setCity', st: 'setState', zp: 'setZip',
  country: 'setCountry', external_id: 'setExternalId',
  client_ip_address: 'setClientIpAddress', client_user_agent: 'setClientUserAgent',
  fbc: 'setFbc', fbp: 'setFbp', lead_id: 'setLeadId',
};

function userData(plain) {
  const user = new UserData();
  for (const [key, value] of Object.entries(plain)) {
    user[setters[key]](value);
  }
  return user;
}

function customData(plain) {
  const custom = new CustomData();
  if (plain.currency !== undefined) custom.setCurrency(plain.currency);
  if (plain.value !== undefined) custom.setValue(plain.value);
  if (plain.order_id !== undefined) custom.setOrderId(plain.order_id);
  if (plain.contents !== undefined) {
    custom.setContents(plain.contents.map((c) => new Content()
      .setId(c.id).setQuantity(c.quantity).setItemPrice(c.item_price)));
  }
  return custom;
}

function serverEvent(plain) {
  const event = new ServerEvent()
    .setEventName(plain.event_name)
    .setEventTime(plain.event_time)
    .setEventId(plain.event_id)
    .setActionSource(plain.action_source)
    .setUserData(userData(plain.user));
  if (plain.event_source_url !== undefined) event.setEventSourceUrl(plain.event_source_url);
  if (plain.custom !== undefined) event.setCustomData(customData(plain.custom));
  return event;
}

const input = JSON.parse(await text(process.stdin));
if (input.graph) {
  // The one change to the SDK: its address is a static getter without a setting.
  Object.defineProperty(FacebookAdsApi, 'GRAPH', { get: () => input.graph });
}

for (const plain of input.requests) {
  const events = plain.map(serverEvent);
  const line = { normalized: events.map((e) => e.normalize()) };
  if (input.graph) {
    try {
      const answer = await new EventRequest(input.token, input.dataset, events).execute();
      line.events_received = answer.events_received;
      line.messages = answer.messages;
      line.fbtrace_id = answer.fbtrace_id;
    } catch (e) {
      line.error = { name: e.name, message: e.message, status: e.status, response: e.response };
    }
  }
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
