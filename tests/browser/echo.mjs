// A server behind the proxy that takes WebSockets (RFC 6455) and sends each text back.

import { createHash } from 'node:crypto';
import http from 'node:http';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** @returns {{port, stop()}} */
export async function startEcho() {
  const sockets = new Set();
  const server = http.createServer((_, response) => response.writeHead(426, { Upgrade: 'websocket' }).end());
  server.on('upgrade', (request, socket, early) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    let pending = early;
    const answer = (data) => {
      pending = Buffer.concat([pending, data]);
      for (let frame; (frame = takeFrame(pending)) !== null;) {
        pending = pending.subarray(frame.size);
        socket.write(serverFrame(frame));
        if (frame.opcode === 8) socket.end();
      }
    };
    socket.on('data', answer);
    answer(Buffer.alloc(0));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    }),
  };
}

/** The first frame of a client's bytes, unmasked; null: it is not whole yet. */
function takeFrame(bytes) {
  if (bytes.length < 2) return null;
  let at = 2;
  let length = bytes[1] & 0x7f;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return null;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  const size = at + 4 + length;
  if (bytes.length < size) return null;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, size), 0).map((byte, i) => byte ^ mask[i % 4]);
  return { first: bytes[0], opcode: bytes[0] & 0x0f, payload, size };
}

/** A large message comes in fragments: they go back as such. */
function serverFrame({ first, payload }) {
  const head = payload.length < 126 ? Buffer.from([first, payload.length]) : Buffer.alloc(payload.length < 65536 ? 4 : 10);
  if (head.length > 2) {
    head[0] = first;
    head[1] = head.length === 4 ? 126 : 127;
    if (head.length === 4) head.writeUInt16BE(payload.length, 2);
    else head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}
