BEGIN
{
	pcap(1, 2);
	printt(curthread);
	print();
	print(@a);
	this->pcap = 1;
}
