"""`python -m simcom_mqtt`: the terminal command."""

from simcom_mqtt.cli import main

if __name__ == "__main__":
    main()
