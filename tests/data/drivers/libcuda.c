/* A CUDA driver that counts GPUs and computes on none: what frameworks and package managers ask it at their start.
   COUNT, VERSION, INIT, MAJOR and MINOR are given when it is compiled. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define INVALID_VALUE 1
#define OUT_OF_MEMORY 2
#define INVALID_DEVICE 101

/* CUdevice_attribute: multiprocessors, and the two halves of the compute capability. */
enum { MULTIPROCESSORS = 16, CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76 };

static int absent(int device) { return device < 0 || device >= COUNT ? INVALID_DEVICE : 0; }

int cuInit(unsigned flags) { return flags ? INVALID_VALUE : INIT; }

int cuDriverGetVersion(int *version) {
  *version = VERSION;
  return 0;
}

int cuDeviceGetCount(int *count) {
  *count = COUNT;
  return INIT;
}

int cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return absent(ordinal);
}

int cuDeviceGetName(char *name, int length, int device) {
  snprintf(name, (size_t)length, "Fake GPU");
  return absent(device);
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
    case MULTIPROCESSORS: *value = 108; break;
    case CAPABILITY_MAJOR: *value = MAJOR; break;
    case CAPABILITY_MINOR: *value = MINOR; break;
    default: *value = 1;
  }
  return absent(device);
}

int cuDeviceComputeCapability(int *major, int *minor, int device) {
  *major = MAJOR;
  *minor = MINOR;
  return absent(device);
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  *bytes = (size_t)16 << 30;
  return absent(device);
}

int cuDeviceGetUuid(char *uuid, int device) {
  memset(uuid, 0, 16);
  uuid[15] = (char)device;
  return absent(device);
}

int cuDeviceGetUuid_v2(char *uuid, int device) { return cuDeviceGetUuid(uuid, device); }

int cuDeviceGetPCIBusId(char *address, int length, int device) {
  snprintf(address, (size_t)length, "0000:%02x:00.0", device + 1);
  return absent(device);
}

int cuGetErrorName(int error, const char **name) {
  *name = error ? "CUDA_ERROR_FAKE" : "CUDA_SUCCESS";
  return 0;
}

int cuGetErrorString(int error, const char **text) {
  *text = error ? "this driver is a fake" : "no error";
  return 0;
}

int cuCtxGetCurrent(void **context) {
  *context = NULL;
  return 0;
}

int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  *flags = 0;
  *active = 0;
  return absent(device);
}

int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
  (void)flags;
  return absent(device);
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
  (void)device;
  *context = NULL;
  return OUT_OF_MEMORY;
}

int cuDevicePrimaryCtxRelease_v2(int device) { return absent(device); }

int cuTensorMapEncodeTiled(void) { return INVALID_VALUE; }

int cuTensorMapEncodeIm2col(void) { return INVALID_VALUE; }
