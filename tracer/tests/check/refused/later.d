BEGIN
{
	pcap(1, 2);
	pcap("x", 2);
	pcap(curthread);
	printt(curthread);
	print();
	print(@a);
	this->pcap = 1;
}
