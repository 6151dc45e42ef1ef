/* Promotions and conversions as C has them. */
uint8_t byte;
short small;
unsigned int word;
long long wide;
uint64_t big;

BEGIN
{
	byte = 300;
	wide = byte + 1;
	wide = byte + word;
	wide = small * big;
	big = wide << byte;
	wide = small >> 3;
	wide = pid / 3 + uid % 7;
	wide = -1;
	wide = ~byte;
	wide = !byte;
	wide = +small;
	trace(word - 5);
	trace(wide > word);
	trace(pid < uid);
	trace(0x80000000 + 2147483648);
	trace(1U << 3 | 0x10 & 7 ^ 'a');
	trace((char)300 + sizeof (int) + sizeof (uint64_t) + sizeof word);
	trace(pid == 1 && uid || gid ^^ 1);
	trace(pid > 10 ? byte : wide);
	wide = (byte = 3, byte + 1);
	byte += 5;
	wide <<= 2;
	big -= pid;
	wide++;
	--wide;
	byte--;
	trace(byte++);
}
