"""Making an environment: catalogue, planning, installers, the pipeline, verification, kernelspec."""
