"""Driver for the MQTT stack of SIMCom SIM7672X/SIM7652X LTE modules."""
