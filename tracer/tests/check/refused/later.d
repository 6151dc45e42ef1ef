BEGIN
{
	pcap(1, 2);
	this->pcap = 1;
}
