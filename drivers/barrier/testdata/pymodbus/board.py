"""A Modbus RTU board by pymodbus: eight coils, eight discrete inputs.

Usage: board.py TTY. A number on standard input sets the inputs; every write of the
coils is told on standard output as their number.
"""
import sys
import threading

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartSerialServer
from pymodbus.transaction import ModbusRtuFramer


def bits(number):
    return [bool(number >> i & 1) for i in range(8)]


class Coils(ModbusSequentialDataBlock):
    def setValues(self, address, values):
        super().setValues(address, values)
        print(sum(bool(v) << i for i, v in enumerate(self.values)), flush=True)


inputs = ModbusSequentialDataBlock(0, bits(0x42))


def steer():
    for line in sys.stdin:
        inputs.setValues(0, bits(int(line)))


threading.Thread(target=steer, daemon=True).start()
board = ModbusSlaveContext(di=inputs, co=Coils(0, bits(0)), zero_mode=True)
StartSerialServer(context=ModbusServerContext(slaves={1: board}, single=False),
                  framer=ModbusRtuFramer, port=sys.argv[1], baudrate=115200, timeout=0.005)
