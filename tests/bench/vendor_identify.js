// What the vendor's programs need to tell who a unit is, unmodified; prints in JSON the milliseconds without `require`.
//   node vendor_identify.js particle-usb DEVICE_ID
//   node vendor_identify.js particle-cli PORT
'use strict';
const path = require('path');

const modules = { paths: [path.resolve(process.env.STATION_PARTICLE_USB)] };
const load = (name) => require(require.resolve(name, modules));

// Everything that `station identify` asks by request and this library has a call for; what the unit refuses is skipped.
async function byUsb(usb, id) {
	const found = (await usb.getDevices()).length;
	const device = await usb.openDeviceById(id);
	const told = { found, id: await device.getDeviceId(), version: device.firmwareVersion };
	const ask = async (name, ...rest) => {
		try {
			told[name] = await device[name](...rest);
		} catch (error) {
			told[name] = null;
		}
	};
	await ask('getSerialNumber');
	await ask('getFirmwareModuleInfo');
	if (device.isCellularDevice) {
		await ask('getCellularInfo');
	}
	if (device.isGen3Device || device.isGen4Device) {
		await ask('getNetworkInterfaceList');
		for (const { index, type } of told.getNetworkInterfaceList || []) {
			if (type === 'WIFI') {
				await ask('getNetworkInterface', { index });
			}
		}
	}
	await ask('getDeviceMode');
	await ask('getProtectionState');
	await ask('isClaimed');
	await device.close();
	return told;
}

async function byCli(Serial, port) {
	await new Serial().identifyDevice({ port });
	return {};
}

const programs = {
	'particle-usb': () => [byUsb, load('particle-usb')],
	'particle-cli': () => [byCli, load('particle-cli/src/cmd/serial')]
};

const [run, library] = programs[process.argv[2]]();
const begin = process.hrtime.bigint();
run(library, process.argv[3]).then(
	(told) => {
		const ms = Number(process.hrtime.bigint() - begin) / 1e6;
		process.stdout.write(`\n${JSON.stringify({ ms, told })}\n`, () => process.exit(0));
	},
	(error) => {
		process.stderr.write(`${error.stack}\n`, () => process.exit(1));
	}
);
