// A web server with timers, a worker thread, files and hashes, for tests/apps/node.
const http = require('http'), fs = require('fs'), crypto = require('crypto'), path = require('path');
const { Worker, isMainThread, parentPort } = require('worker_threads');

if (!isMainThread) {
	let sum = 0;
	for (let i = 0; i < 1e6; i++)
		sum += i % 7;
	parentPort.postMessage(sum);
} else {
	http.createServer((q, r) => {
		if (q.url === '/work') {
			new Worker(__filename).on('message', sum => r.end(String(sum)));
		} else if (q.url === '/file') {
			const name = path.join('/tmp', 'node-test');
			fs.writeFile(name, 'x'.repeat(100000), () =>
				fs.readFile(name, (e, data) => r.end(crypto.createHash('sha256').update(data).digest('hex'))));
		} else if (q.url === '/later') {
			setTimeout(() => r.end('later'), 30);
		} else if (q.method === 'POST') {
			const parts = [];
			q.on('data', d => parts.push(d)).on('end', () => r.end(crypto.createHash('sha256').update(Buffer.concat(parts)).digest('hex')));
		} else {
			r.end('hello from node ' + q.url);
		}
	}).listen(Number(process.argv[2]), '0.0.0.0');
}
