// Drives the npm package particle-usb, unmodified, and prints one line of JSON.
//   node particle_usb.js SCENARIO [DEVICE_ID [FILE [ADDRESS]]]
'use strict';
const fs = require('fs');
const path = require('path');

const usb = require(require.resolve('particle-usb', { paths: [path.resolve(process.env.STATION_PARTICLE_USB)] }));

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Opens the device once it is there and in the wanted mode.
async function open(id, dfu) {
	for (let tries = 0; tries < 200; tries++) {
		try {
			const device = await usb.openDeviceById(id);
			if (device.isInDfuMode === dfu) {
				return device;
			}
			await device.close();
		} catch (error) {
			if (tries === 199) {
				throw error;
			}
		}
		await pause(50);
	}
	throw new Error(`${id} did not come back ${dfu ? 'in' : 'out of'} DFU mode`);
}

async function modules(device) {
	const found = await device.getFirmwareModuleInfo();
	return found.map(({ type, index, version, validityErrors }) => ({ type, index, version, validityErrors }));
}

const scenarios = {
	async list() {
		const found = [];
		for (const device of await usb.getDevices()) {
			await device.open();
			found.push({ id: device.id, type: device.type, dfu: device.isInDfuMode, firmware: device.firmwareVersion });
			await device.close();
		}
		return found;
	},

	async identity(id) {
		const device = await open(id, false);
		const told = {
			id: await device.getDeviceId(),
			serial: await device.getSerialNumber(),
			mode: await device.getDeviceMode(),
			modules: await modules(device)
		};
		await device.enterListeningMode();
		told.listening = await device.getDeviceMode();
		await device.close();
		return told;
	},

	// Normal mode, DFU, write, leave, normal mode.
	async flash(id, file, address) {
		let device = await open(id, false);
		const before = await modules(device);
		await device.enterDfuMode();
		device = await open(id, true);
		const protection = await device.getProtectionState();
		await device.writeOverDfu(fs.readFileSync(file), { altSetting: 0, startAddr: Number(address), leave: false });
		await device.reset();
		await device.close();
		device = await open(id, false);
		const after = await modules(device);
		await device.close();
		return { before, protection, after };
	},

	async read(id, size, address) {
		const device = await open(id, true);
		const data = await device.readOverDfu({ altSetting: 0, startAddr: Number(address), size: Number(size) });
		await device.close();
		return { hex: Buffer.from(data).toString('hex') };
	},

	async update(id, file) {
		const device = await open(id, false);
		const steps = new Set();
		await device.updateFirmware(fs.readFileSync(file), { progress: ({ event }) => steps.add(event) });
		await device.close().catch(() => {});
		return { steps: [...steps] };
	},

	async refused(id, file) {
		const device = await open(id, false);
		try {
			await device.updateFirmware(fs.readFileSync(file));
			return { result: 0 };
		} catch (error) {
			return { result: error.result };
		} finally {
			await device.close();
		}
	},

	// Looks round, joins a network, reads back what the unit knows and uses, forgets it.
	async wifi(id, ssid, password) {
		const device = await open(id, false);
		const seen = await device.scanWifiNetworks();
		await device.joinNewWifiNetwork({ ssid, security: 'WPA2_PSK', password });
		const { networks: known } = await device.listWifiNetworks();
		await device.leaveListeningMode(); // a unit without networks listens, and stays offline as long as it does
		let current = null;
		while (!current) { // it connects by itself, a while after the join
			current = await device.getCurrentWifiNetwork().catch(() => pause(100).then(() => null));
		}
		await device.clearWifiNetworks();
		const { networks: left } = await device.listWifiNetworks();
		await device.close();
		return { seen, known: known.map((one) => one.ssid), current, left };
	},

	async scan(id) {
		const device = await open(id, false);
		try {
			return { result: 0, seen: await device.scanWifiNetworks() };
		} catch (error) {
			return { result: error.result };
		} finally {
			await device.close();
		}
	},

	async reset(id) {
		const device = await open(id, false);
		await device.reset();
		await device.close();
		return {};
	},

	async modules(id) {
		const device = await open(id, false);
		const found = await modules(device);
		await device.close();
		return found;
	}
};

scenarios[process.argv[2]](...process.argv.slice(3)).then(
	(result) => {
		process.stdout.write(JSON.stringify(result) + '\n', () => process.exit(0));
	},
	(error) => {
		process.stderr.write(`${error.stack}\n`, () => process.exit(1));
	}
);
