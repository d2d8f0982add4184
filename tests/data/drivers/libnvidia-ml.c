/* An NVML that tells what description.h says; a function is left out by defining NO_<its name>. */
#include <stdio.h>
#include <string.h>

#define INVALID_ARGUMENT 2
#define NOT_SUPPORTED 3
#define NOT_FOUND 6
#define INSUFFICIENT_SIZE 7
#define VERSION_MISMATCH 25

typedef unsigned long long bytes;

typedef struct {
  const char *function;
  int code;
} Failure;

/* As nvmlProcessInfo_v2_t and _v3_t have it. */
typedef struct {
  unsigned pid;
  bytes memory;
  unsigned gpu_instance, compute_instance;
} Process;

typedef struct {
  bytes total, free, used;
} Memory;

typedef struct {
  unsigned version;
  bytes total, reserved, free, used;
} Memory2;

typedef struct {
  unsigned gpu, memory;
} Utilization;

typedef struct {
  unsigned multiprocessors, copy, decoder, encoder, jpeg, ofa, gpu_slices, compute_slices;
  bytes megabytes;
} Attributes;

typedef struct {
  const Process *list;
  int count; /* -1: not supported */
} Processes;

typedef struct Device {
  const char *name, *uuid;
  bytes total, reserved, used;
  int utilization; /* -1: not supported */
  int major, minor, mode;
  int mig; /* -1: not supported */
  int slots;
  const struct Device *instances;
  int instance_count;
  unsigned gpu_slices, compute_slices;
  Processes compute, graphics;
  const Failure *failures;
  int failure_count;
} Device;

#include "description.h"

/* Ask a device, unless that is to fail; __func__ names the question. */
#define ASK(device)                                                             \
  do {                                                                          \
    int code_ = failure((device)->failures, (device)->failure_count, __func__); \
    if (code_) return code_;                                                    \
  } while (0)

static int failure(const Failure *failures, int count, const char *function) {
  for (int i = 0; i < count; i++)
    if (!strcmp(failures[i].function, function)) return failures[i].code;
  return 0;
}

static int copied(char *to, unsigned size, const char *text) {
  if (strlen(text) >= size) return INSUFFICIENT_SIZE;
  strcpy(to, text);
  return 0;
}

static int listed(Processes processes, unsigned *count, Process *list) {
  if (processes.count < 0) return NOT_SUPPORTED;
  unsigned room = *count;
  *count = (unsigned)processes.count;
  if (room < *count) return INSUFFICIENT_SIZE;
  if (*count) memcpy(list, processes.list, *count * sizeof *list);
  return 0;
}

int nvmlInitWithFlags(unsigned flags) {
  (void)flags;
  return INIT;
}

int nvmlShutdown(void) { return 0; }

const char *nvmlErrorString(int code) {
  (void)code;
  return "an error of the fake";
}

#ifndef NO_nvmlSystemGetDriverVersion
int nvmlSystemGetDriverVersion(char *version, unsigned size) { return copied(version, size, DRIVER); }
#endif

#ifndef NO_nvmlSystemGetCudaDriverVersion_v2
int nvmlSystemGetCudaDriverVersion_v2(int *version) {
  *version = CUDA;
  return 0;
}
#endif

int nvmlDeviceGetCount_v2(unsigned *count) {
  *count = DEVICE_COUNT;
  return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, const Device **device) {
  if (index >= DEVICE_COUNT) return INVALID_ARGUMENT;
  ASK(&devices[index]);
  *device = &devices[index];
  return 0;
}

int nvmlDeviceGetName(const Device *device, char *name, unsigned size) {
  ASK(device);
  return copied(name, size, device->name);
}

int nvmlDeviceGetUUID(const Device *device, char *uuid, unsigned size) {
  ASK(device);
  return copied(uuid, size, device->uuid);
}

int nvmlDeviceGetCudaComputeCapability(const Device *device, int *major, int *minor) {
  ASK(device);
  *major = device->major;
  *minor = device->minor;
  return 0;
}

int nvmlDeviceGetMemoryInfo(const Device *device, Memory *memory) {
  ASK(device);
  memory->total = device->total;
  memory->used = device->used + device->reserved;
  memory->free = memory->total - memory->used;
  return 0;
}

#ifndef NO_nvmlDeviceGetMemoryInfo_v2
int nvmlDeviceGetMemoryInfo_v2(const Device *device, Memory2 *memory) {
  ASK(device);
  if (memory->version != (sizeof *memory | 2u << 24)) return VERSION_MISMATCH;
  memory->total = device->total;
  memory->reserved = device->reserved;
  memory->used = device->used;
  memory->free = device->total - device->used - device->reserved;
  return 0;
}
#endif

int nvmlDeviceGetUtilizationRates(const Device *device, Utilization *rates) {
  ASK(device);
  if (device->utilization < 0) return NOT_SUPPORTED;
  rates->gpu = (unsigned)device->utilization;
  rates->memory = 0;
  return 0;
}

#ifndef NO_nvmlDeviceGetComputeMode
int nvmlDeviceGetComputeMode(const Device *device, int *mode) {
  ASK(device);
  *mode = device->mode;
  return 0;
}
#endif

#ifndef NO_nvmlDeviceGetMigMode
int nvmlDeviceGetMigMode(const Device *device, unsigned *current, unsigned *pending) {
  ASK(device);
  if (device->mig < 0) return NOT_SUPPORTED;
  *current = *pending = (unsigned)device->mig;
  return 0;
}

int nvmlDeviceGetMaxMigDeviceCount(const Device *device, unsigned *count) {
  ASK(device);
  *count = (unsigned)device->slots;
  return 0;
}

/* As on a real GPU, an instance keeps its place when another one is destroyed: the first place is empty here. */
int nvmlDeviceGetMigDeviceHandleByIndex(const Device *device, unsigned index, const Device **instance) {
  ASK(device);
  if (index == 0 || index > (unsigned)device->instance_count) return NOT_FOUND;
  *instance = &device->instances[index - 1];
  return 0;
}
#endif

#ifndef NO_nvmlDeviceGetAttributes_v2
int nvmlDeviceGetAttributes_v2(const Device *device, Attributes *attributes) {
  ASK(device);
  if (!device->gpu_slices) return NOT_SUPPORTED;
  memset(attributes, 0, sizeof *attributes);
  attributes->gpu_slices = device->gpu_slices;
  attributes->compute_slices = device->compute_slices;
  attributes->megabytes = device->total >> 20;
  return 0;
}
#endif

#ifndef NO_nvmlDeviceGetComputeRunningProcesses_v2
int nvmlDeviceGetComputeRunningProcesses_v2(const Device *device, unsigned *count, Process *list) {
  ASK(device);
  return listed(device->compute, count, list);
}
#endif

#ifndef NO_nvmlDeviceGetComputeRunningProcesses_v3
int nvmlDeviceGetComputeRunningProcesses_v3(const Device *device, unsigned *count, Process *list) {
  ASK(device);
  return listed(device->compute, count, list);
}
#endif

#ifndef NO_nvmlDeviceGetGraphicsRunningProcesses_v3
int nvmlDeviceGetGraphicsRunningProcesses_v3(const Device *device, unsigned *count, Process *list) {
  ASK(device);
  return listed(device->graphics, count, list);
}
#endif
