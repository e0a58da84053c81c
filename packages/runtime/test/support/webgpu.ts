import { existsSync } from 'node:fs';

/** Where no Vulkan driver is named, tests use SwiftShader, which comes with Debian's chromium-common. Imported before devices are listed. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (process.env['VK_DRIVER_FILES'] === undefined && existsSync(SWIFTSHADER)) process.env['VK_DRIVER_FILES'] = SWIFTSHADER;
process.env['XDG_RUNTIME_DIR'] ??= '/tmp';

export {};
