// Loaded before a server that somebody else wrote (node --import): it listens on
// loopback, on a free port, and says where.
import net from 'node:net';

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function onLoopback(...args) {
  const callback = args.findLast((a) => typeof a === 'function');
  return listen.call(this, { port: 0, host: '127.0.0.1' }, () => {
    console.log(`listening on http://127.0.0.1:${this.address().port}/mcp`);
    callback?.call(this);
  });
};
