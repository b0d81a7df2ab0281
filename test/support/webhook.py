"""An application that speaks only HTTP: takes webhooks, checks their signatures, answers requests. Prints what it got, a line each."""
import hashlib, hmac, json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = sys.argv[1].encode()


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length']))
        parts = dict(part.split('=', 1) for part in self.headers['evenkeel-signature'].split(','))
        wanted = hmac.new(SECRET, parts['t'].encode() + b'.' + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(parts['v1'], wanted) or abs(time.time() - int(parts['t'])) > 300:
            return self.answer(401, {'code': 'bad-signature'})
        told = json.loads(body)
        print(json.dumps(told), flush=True)
        if told['type'] == 'request' and told['method'] == 'shop.refuse':
            return self.answer(409, {'code': 'sold-out', 'message': 'none is left'})
        self.answer(200, {'hello': told['user'], 'got': told.get('data')})

    def answer(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header('content-type', 'application/json')
        self.send_header('content-length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


server = HTTPServer(('127.0.0.1', 0), Hook)
print(server.server_port, flush=True)
server.serve_forever()
