// Drives the npm package particle-api-js, unmodified: reads calls from standard input, one line of JSON each, and
// answers each in one line of JSON.
//   node particle_api.js MODULE_DIRECTORY OPTIONS
'use strict';
const readline = require('readline');

const Particle = require(process.argv[2]);
const api = new Particle(JSON.parse(process.argv[3]));
const heard = [];
let stream = null;
let wake = () => {};

function revived(name, value) {
	return value && typeof value === 'object' && '$bytes' in value ? Buffer.from(value.$bytes, 'base64') : value;
}

const own = {
	// Opens an event stream; what comes is kept for `heard`.
	async listen(options) {
		stream = await api.getEventStream(options);
		stream.on('event', (event) => {
			heard.push(event);
			wake();
		});
		return { body: 'open' };
	},
	// Waits for so many events.
	async heard({ count }) {
		while (heard.length < count) {
			await new Promise((resolve) => { wake = resolve; });
		}
		return { body: heard.splice(0, count) };
	},
};

async function answer({ call, options }) {
	try {
		const said = await (own[call] || api[call].bind(api))(options);
		if (Buffer.isBuffer(said)) {
			return { status: 200, body: said.toString('base64') };
		}
		return { status: said.statusCode, body: said.body };
	} catch (error) {
		return { status: error.statusCode, body: error.body, error: error.errorDescription || String(error) };
	}
}

(async () => {
	for await (const line of readline.createInterface({ input: process.stdin })) {
		process.stdout.write(JSON.stringify(await answer(JSON.parse(line, revived))) + '\n');
	}
	if (stream) {
		stream.abort();
	}
	process.exit(0);
})();
