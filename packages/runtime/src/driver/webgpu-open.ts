/// <reference types="@webgpu/types" />
import { DeviceUnavailableError } from '../errors/index.ts';
import type { GpuInfo } from './driver.ts';

/** An adapter, and what of WGSL its implementation takes. */
export interface Adapter { readonly adapter: GPUAdapter; readonly info: GpuInfo }

const absent = (detail: string, fix?: string): DeviceUnavailableError => new DeviceUnavailableError('webgpu:0', [{ candidate: 'webgpu', verdict: 'unavailable', code: 'no-driver', detail, ...(fix !== undefined && { fix }) }]);
const FIX = 'npm install webgpu, and a Vulkan, Metal or Direct3D 12 driver; SwiftShader of chromium-common runs on any CPU (VK_DRIVER_FILES=…/vk_swiftshader_icd.json, with libvulkan1)';

let opened: GPU | undefined;
/** The browser's WebGPU, or Dawn's in Node: kept for as long as the process lives, as its devices need it. */
async function implementation(): Promise<GPU> {
  const own = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (own !== undefined) return own;
  if (opened !== undefined) return opened;
  const name = 'webgpu';
  let create: (options: string[]) => GPU;
  try {
    ({ create } = (await import(name)) as { create: (options: string[]) => GPU });
  } catch (error) {
    throw absent(`the package webgpu is not installed (${(error as Error).message.split('\n')[0]})`, FIX);
  }
  return (opened = create([]));
}

/** The adapter of WebGPU. @throws DeviceUnavailableError where there is none */
export async function webgpuAdapter(): Promise<Adapter> {
  const gpu = await implementation();
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch (error) {
    throw absent(`WebGPU gives no adapter: ${(error as Error).message}`, FIX);
  }
  if (adapter === null) throw absent('WebGPU finds no adapter on this machine', FIX);
  const { limits: l, info } = adapter, has = (f: GPUFeatureName): boolean => adapter.features.has(f), software = info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(`${info.architecture} ${info.device} ${info.description}`);
  const features = [...(has('shader-f16') ? ['f16'] : []), ...(gpu.wgslLanguageFeatures.has('packed_4x8_integer_dot_product') ? ['dot4'] : []), ...(has('timestamp-query') ? ['timestamps'] : [])];
  return {
    adapter, info: {
      kind: 'webgpu', index: 0, name: info.description || info.device || info.architecture || info.vendor || 'WebGPU', vendor: info.vendor, driver: info.architecture, software, integrated: false, features, units: 0, version: [1, 0],
      limits: {
        lanes: l.maxComputeInvocationsPerWorkgroup, block: [l.maxComputeWorkgroupSizeX, l.maxComputeWorkgroupSizeY, l.maxComputeWorkgroupSizeZ], grid: [l.maxComputeWorkgroupsPerDimension, l.maxComputeWorkgroupsPerDimension, l.maxComputeWorkgroupsPerDimension],
        sharedBytes: l.maxComputeWorkgroupStorageSize, dynamicSharedBytes: l.maxComputeWorkgroupStorageSize, bufferBytes: l.maxBufferSize, memoryBytes: 0, cacheBytes: 0, bindingBytes: l.maxStorageBufferBindingSize, bindings: l.maxStorageBuffersPerShaderStage,
      },
    },
  };
}

/** The devices of WebGPU: one, the adapter that it offers. @throws DeviceUnavailableError */
export const webgpuDevices = async (): Promise<readonly GpuInfo[]> => [(await webgpuAdapter()).info];
