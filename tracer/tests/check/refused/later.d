BEGIN
{
	pcap(1, 2);
	printm(curthread);
	printt(curthread);
	print();
	print(@a);
	this->pcap = 1;
}
