// The SDK over WebSockets that do something wrong: each client beside this file has one typical fault.
import WebSocket from 'ws';

/**
 * A WebSocket class for the SDK. `receive(frame, socket)` returns what the SDK is to see of a frame, or nothing; `send(frame)` what
 * goes out in its place; `closed(code)` the code that the SDK is told; `opens(socket, earlier)` is called for each.
 */
export function tampered({
  receive = (frame) => frame,
  send = (frame) => frame,
  closed = (code) => code,
  opens = () => {},
}) {
  const earlier = [];
  return class {
    onopen = null;
    onmessage = null;
    onclose = null;
    onerror = null;

    constructor(url, protocols) {
      const socket = new WebSocket(url, protocols);
      this.socket = socket;
      opens(socket, earlier);
      earlier.push(socket);
      socket.onopen = () => this.onopen?.();
      socket.onerror = (event) => this.onerror?.(event);
      socket.onclose = ({ code, reason }) => this.onclose?.({ code: closed(code), reason });
      socket.onmessage = ({ data }) => {
        const frame = receive(JSON.parse(data), socket);
        if (frame) this.onmessage?.({ data: JSON.stringify(frame) });
      };
    }
    send(text) {
      this.socket.send(JSON.stringify(send(JSON.parse(text))));
    }
    close(code) {
      this.socket.close(code);
    }
    terminate() {
      this.socket.terminate();
    }
  };
}
