"""A factory suite for devices with a SIMCom module: copy it and change what your device needs."""
