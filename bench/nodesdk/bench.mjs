// The JavaScript half of bench/nodesdk: normalise, hash and serialise batches of
// events with facebook-nodejs-business-sdk, on demand.
//
// stdin, line by line: first {"batches": [[EVENT, …], …]} with plain identifiers,
// then one line per command. "check" answers the JSON of the first batch; "run N"
// encodes all batches N times and answers {"events", "seconds"}; end of input ends.
//
// Building the SDK's objects is not timed, nor is sending: only what turns an
// event into the bytes of a request body.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import path from 'node:path';

const require = createRequire(path.join(process.env.SLUICE_NODE_MODULES, 'package.json'));
const { Content, CustomData, ServerEvent, UserData } = require('facebook-nodejs-business-sdk');

function build(e) {
  const u = e.user;
  return new ServerEvent()
    .setEventName(e.event_name)
    .setEventTime(e.event_time)
    .setEventId(e.event_id)
    .setActionSource(e.action_source)
    .setUserData(new UserData()
      .setEmail(u.em).setPhone(u.ph).setFirstName(u.fn).setLastName(u.ln).setDateOfBirth(u.db)
      .setCity(u.ct).setState(u.st).setZip(u.zp).setCountry(u.country))
    .setCustomData(new CustomData()
      .setCurrency(e.currency).setValue(e.value).setOrderId(e.order_id)
      .setContents(e.contents.map((c) => new Content()
        .setId(c.id).setQuantity(c.quantity).setItemPrice(c.item_price))));
}

// What EventRequest.execute does before it hands the body to its HTTP client.
const encode = (events) => JSON.stringify({ data: events.map((e) => e.normalize()) });

let batches;
for await (const line of createInterface({ input: process.stdin })) {
  if (batches === undefined) {
    batches = JSON.parse(line).batches.map((b) => b.map(build));
    continue;
  }
  const [command, times] = line.split(' ');
  if (command === 'check') {
    process.stdout.write(`${encode(batches[0])}\n`);
    continue;
  }
  let bytes = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < Number(times); i++) {
    for (const batch of batches) bytes += encode(batch).length;
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const events = Number(times) * batches.reduce((n, b) => n + b.length, 0);
  process.stdout.write(`${JSON.stringify({ events, seconds, bytes })}\n`);
}
