// What Artillery's WebSocket engine needs to be clients of Evenkeel: they ask the gateway, say hello and acknowledge.
let clients = 0;

/** Asks the gateway where to dial, as a user of its own: load-1, load-2, … */
exports.dialEdge = (params, _context, next) => {
  const user = `load-${++clients}`;
  fetch(`${params.target}/gateway?user=${user}`)
    .then(async (answer) => {
      if (!answer.ok) throw new Error(`gateway-${answer.status}`);
      const { url, ticket } = await answer.json();
      params.target = `${url}?ticket=${encodeURIComponent(ticket)}`;
      params.subprotocols = ['evenkeel.v1'];
      next();
    })
    .catch(next);
};

/** Says hello, goes on when the edge has welcomed it, and from then on counts and acknowledges. */
exports.hello = (context, events, next) => {
  const { ws } = context;
  ws.on('message', (text) => {
    const frame = JSON.parse(text);
    events.emit('counter', `evenkeel.${frame.t}`, 1);
    if (frame.t === 'event' || frame.t === 'message')
      events.emit('histogram', `evenkeel.${frame.t}_delay_ms`, Date.now() - frame.at);
    if (frame.t === 'event') ws.send(JSON.stringify({ t: 'ack', seq: frame.seq }));
    else if (frame.t === 'welcome') next();
  });
  ws.on('close', (code) => events.emit('counter', `evenkeel.closed.${code}`, 1));
  ws.send(JSON.stringify({ t: 'hello', resume: false }));
};
